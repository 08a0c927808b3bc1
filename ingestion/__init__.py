"""From files to a searchable library: parsing, chunking, encoding, and the three stores."""
