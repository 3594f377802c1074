"""Server-side personalization for any shop, without JavaScript."""
