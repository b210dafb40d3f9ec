"""From chapters to a book: execution, pages, figures, published results."""
