"""Pictures as float tensors (C, H, W) in 0..1: from files and PIL, from noise, resized, and back."""

from __future__ import annotations

from reverie.pictures.channels import LIGHT as LIGHT
from reverie.pictures.channels import in_channels as in_channels
from reverie.pictures.channels import in_colours as in_colours
from reverie.pictures.collection import Pictures as Pictures
from reverie.pictures.collection import label_of as label_of
from reverie.pictures.collection import sheet as sheet
from reverie.pictures.disk_backed import averaged as averaged
from reverie.pictures.disk_backed import banded as banded
from reverie.pictures.disk_backed import bands as bands
from reverie.pictures.disk_backed import in_memory as in_memory
from reverie.pictures.disk_backed import mean_square as mean_square
from reverie.pictures.disk_backed import room as room
from reverie.pictures.loading import as_picture as as_picture
from reverie.pictures.loading import as_tensor as as_tensor
from reverie.pictures.loading import load as load
from reverie.pictures.loading import load_bytes as load_bytes
from reverie.pictures.loading import several as several
from reverie.pictures.loading import with_content as with_content
from reverie.pictures.picture import MadePicture as MadePicture
from reverie.pictures.picture import Picture as Picture
from reverie.pictures.picture import carried as carried
from reverie.pictures.picture import check_not_input as check_not_input
from reverie.pictures.picture import made_by as made_by
from reverie.pictures.picture import notes_on as notes_on
from reverie.pictures.picture import size_at_width as size_at_width
from reverie.pictures.picture import to_width as to_width
from reverie.pictures.quantisation import as_npy as as_npy
from reverie.pictures.quantisation import quantise as quantise
from reverie.pictures.quantisation import rounded as rounded
from reverie.pictures.resizing import resample as resample
from reverie.pictures.resizing import resize as resize
from reverie.pictures.sheets import contact_sheet as contact_sheet
from reverie.pictures.sheets import strip as strip
from reverie.pictures.sheets import table_sheet as table_sheet
from reverie.pictures.similarity_index import similarity as similarity
from reverie.pictures.similarity_index import similarity_at_a_glance as similarity_at_a_glance
from reverie.pictures.spectral_noise import MEAN as MEAN
from reverie.pictures.spectral_noise import SPREAD as SPREAD
from reverie.pictures.spectral_noise import frequencies as frequencies
from reverie.pictures.spectral_noise import irfft2 as irfft2
from reverie.pictures.spectral_noise import noise as noise
from reverie.pictures.spectral_noise import rfft2 as rfft2
