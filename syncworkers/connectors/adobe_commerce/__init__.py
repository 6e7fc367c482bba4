"""Adobe Commerce and Magento 2, both flavours: as a platform or on premises, and as a service."""

from syncworkers.connectors.adobe_commerce.connector import AdobeCommerce

__all__ = ["AdobeCommerce"]
