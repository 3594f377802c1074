"""What travels: liberal in what is read, the guide's exact shapes in what is written."""
