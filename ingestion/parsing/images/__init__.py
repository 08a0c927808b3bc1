"""Pictures as documents: PNG, JPEG, TIFF with its pages, WebP."""
