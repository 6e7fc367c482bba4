"""syncworkers keeps ERP, storefronts and warehouses in step: once, in order, traceable."""
