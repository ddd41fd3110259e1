"""An image from any place to any other (containers/image's ``copy``)."""
