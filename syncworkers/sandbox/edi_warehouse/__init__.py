"""A simulated warehouse that speaks X12 in files over SFTP: a real server over a real folder.

It answers ship orders (940) with acknowledgements (997), ship advices (945) and its carriers' news
(214), counts its stock (846), and by hand sends all else that warehouses send. Its files and
sessions go wrong as a seeded plan says, and what goes wrong it makes good by itself.
"""
