"""Files become arrays of images: read, label, split. Nothing here trains."""

from thalweg.images.image_set import ImageData, ImageForm, ImageSet, LeftOut
from thalweg.images.read import is_images, read_image, read_images, read_new_images
from thalweg.images.split import split_images

__all__ = [
    "ImageData",
    "ImageForm",
    "ImageSet",
    "LeftOut",
    "is_images",
    "read_image",
    "read_images",
    "read_new_images",
    "split_images",
]
