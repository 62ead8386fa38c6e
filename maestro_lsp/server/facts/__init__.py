"""What is known about an NF as plain data, positions and texts in it ready to be sent. Made in the worker, where a report is."""
