"""What runs inside shippers that have Python in them."""
