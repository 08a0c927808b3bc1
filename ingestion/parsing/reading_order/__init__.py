"""Lines of a PDF page put into the order and spelling in which people read them."""
