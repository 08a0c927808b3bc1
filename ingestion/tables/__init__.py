"""Tables of a document: their cells with what each row, column, unit and period is."""
