"""Reports over the items of the shop, which it reads from the items service."""
