"""Formats that describe themselves. Products are made here by their published structure: none was at hand."""

from __future__ import annotations

import gzip
import os
import zipfile

import h5py
import numpy as np
import pytest
import tifffile
from scenes_helpers import real
from scipy.io import savemat

from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image
from hsu_lib.scenes.own import formats
from hsu_lib.scenes.public.download import locate

BANDS, HEIGHT, WIDTH = 8, 12, 9
WAVELENGTHS = np.linspace(2400, 410, BANDS)
needs_rasterio = pytest.mark.skipif(not formats.has("rasterio"), reason="needs the extra formats")
needs_xarray = pytest.mark.skipif(not formats.has("xarray"), reason="needs the extra formats")


@pytest.fixture(scope="module")
def Y():
    return np.random.default_rng(3).uniform(0.1, 0.9, (BANDS, HEIGHT, WIDTH)).astype(np.float32)


def write_geotiff(path, values, **profile):
    import rasterio
    from rasterio.transform import from_origin

    place = {"crs": "EPSG:32632", "transform": from_origin(600000, 5300000, 30, 20)}
    profile = {"driver": "GTiff", "dtype": values.dtype, **place, **profile}
    bands, height, width = values.shape
    with rasterio.open(path, "w", count=bands, height=height, width=width, **profile) as file:
        file.write(values)
        if bands == BANDS:
            file.descriptions = [f"Band {k + 1} ({nm:.3f} nm)" for k, nm in enumerate(WAVELENGTHS)]


@needs_rasterio
@pytest.mark.parametrize("interleave", ["band", "pixel"])
def test_geotiff(tmp_path, Y, interleave):
    counts = np.round(Y * 1e4).astype(np.int16)
    counts[:, :2] = -9999
    write_geotiff(tmp_path / "field.tif", counts, interleave=interleave, compress="deflate", nodata=-9999)
    scene = read_image(tmp_path / "field.tif")
    np.testing.assert_allclose(scene.Y[:, 2:], counts[:, 2:] / 1e4, rtol=1e-6)
    assert scene.counting == 90
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, atol=1e-3)
    assert scene.georeference["transform"] == (30, 0, 600000, 0, -20, 5300000)
    assert "UTM zone 32N" in scene.georeference["crs"]


@pytest.mark.parametrize("without_gdal", [False, True])
@pytest.mark.parametrize("planes", ["separate", "contig", "pages"])
def test_tiff(tmp_path, Y, planes, without_gdal, monkeypatch):
    if without_gdal:
        monkeypatch.setattr(formats, "has", lambda package: False)
    values = Y.transpose(1, 2, 0) if planes == "contig" else Y
    config = None if planes == "pages" else planes
    tifffile.imwrite(tmp_path / "field.tif", values, photometric="minisblack", planarconfig=config)
    np.testing.assert_array_equal(read_image(tmp_path / "field.tif").Y, Y)


@needs_rasterio
@pytest.mark.parametrize("opaque", [1, 0.3])
@pytest.mark.parametrize("without_gdal", [False, True])
def test_an_alpha_channel_is_no_band(tmp_path, Y, opaque, without_gdal, monkeypatch):
    import rasterio
    from rasterio.enums import ColorInterp

    alpha = np.full((1, HEIGHT, WIDTH), opaque, dtype=np.float32)
    alpha[:, :2] = 0
    with rasterio.open(
        tmp_path / "field.tif", "w", "GTiff", WIDTH, HEIGHT, BANDS + 1, dtype="float32"
    ) as file:
        file.colorinterp = [ColorInterp.gray, *[ColorInterp.undefined] * (BANDS - 1), ColorInterp.alpha]
        file.write(np.concatenate([Y, alpha]))
    if without_gdal:
        monkeypatch.setattr(formats, "has", lambda package: False)
    scene = read_image(tmp_path / "field.tif")
    np.testing.assert_array_equal(scene.Y[:, 2:], Y[:, 2:])
    assert scene.counting == 90
    assert "band 9 is its alpha channel: pixels where it is 0 are outside the mask" in scene.read


@pytest.mark.parametrize("preview", [(HEIGHT, WIDTH, 3), (4, 3, 3)])
def test_pages_of_a_tiff(tmp_path, Y, preview):
    """A preview first, then a page for each band."""
    with tifffile.TiffWriter(tmp_path / "field.tif") as file:
        file.write(np.zeros(preview, np.uint8), photometric="rgb")
        for band in Y:
            file.write(band, photometric="minisblack")
    given = {}
    if preview[0] == HEIGHT:
        listed = r"1: IYXS \(1, 12, 9, 3\) uint8, 2: IYX \(8, 12, 9\) float32"
        with pytest.raises(InputError, match=f"give variable= the number of an image of its TIFF, {listed}"):
            read_image(tmp_path / "field.tif")
        with pytest.raises(InputError, match="no image '3' in its TIFF, which holds 1: "):
            read_image(tmp_path / "field.tif", variable="3")
        given = {"variable": "2"}
    scene = read_image(tmp_path / "field.tif", **given)
    np.testing.assert_array_equal(scene.Y, Y)
    assert any(note.startswith("image 2 of those of its TIFF, 1: ") for note in scene.read)


def test_pages_of_several_bands_each(tmp_path, Y):
    with tifffile.TiffWriter(tmp_path / "field.tif") as file:
        for half in (Y[:4], Y[4:]):
            file.write(half.transpose(1, 2, 0), photometric="minisblack", planarconfig="contig")
    with pytest.raises(InputError, match=r"axes IYXS \(2, 12, 9, 4\), more than bands, .* pages into one"):
        read_image(tmp_path / "field.tif")


@needs_rasterio
def test_smaller_copies_of_a_geotiff_are_no_images(tmp_path, Y):
    import rasterio

    write_geotiff(tmp_path / "field.tif", Y, tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(tmp_path / "field.tif", "r+") as file:
        file.build_overviews([2])
    np.testing.assert_array_equal(read_image(tmp_path / "field.tif").Y, Y)


@needs_rasterio
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Band {k} ({um} um)", True),
        ("Band {k} ({comma} µm)", True),
        ("B{k} FWHM 12 nm, centre {nm} nm", True),
        ("{nm} nm @ {nm} nm", True),
        ("{low}-{high} nm", True),
        ("{low} to {high} nm", True),
        ("from {low} nm until {high} nm", False),
        ("width 12 nm", False),
        ("band {k}", False),
    ],
)
def test_wavelengths_in_names_of_bands(tmp_path, Y, name, expected):
    write_geotiff(tmp_path / "field.tif", Y)
    import rasterio

    with rasterio.open(tmp_path / "field.tif", "r+") as file:
        file.descriptions = [
            name.format(
                k=k, nm=nm, um=nm / 1e3, comma=f"{nm / 1e3:.6f}".replace(".", ","), low=nm - 30, high=nm + 30
            )
            for k, nm in enumerate(WAVELENGTHS.round(1).tolist())
        ]
    scene = read_image(tmp_path / "field.tif")
    if expected:
        np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, atol=0.06)
    else:
        assert scene.wavelengths is None
        assert name == "band {k}" or any("bands are numbered" in note for note in scene.read)


def dataset(Y, dims):
    import xarray

    sizes = dict(zip(("wavelength", "y", "x"), Y.shape, strict=True))
    coordinates = {
        "wavelength": ("wavelength", WAVELENGTHS / 1000, {"units": "um"}),
        "y": 1000.0 - 20 * np.arange(sizes["y"]),
        "x": 500.0 + 30 * np.arange(sizes["x"]),
    }
    array = xarray.DataArray(Y, dims=("wavelength", "y", "x"), coords=coordinates)
    return array.transpose(*dims).to_dataset(name="reflectance")


@needs_xarray
@pytest.mark.parametrize("dims", [("wavelength", "y", "x"), ("y", "x", "wavelength")])
@pytest.mark.parametrize("engine", ["h5netcdf", "scipy", "zarr"])
def test_netcdf_and_zarr(tmp_path, Y, dims, engine):
    Y = Y.copy()
    Y[:, 3:5, 2] = np.nan
    packed = {"reflectance": {"dtype": "i2", "scale_factor": 1e-4, "_FillValue": np.int16(-9999)}}
    path = tmp_path / ("field.zarr" if engine == "zarr" else "field.nc")
    if engine == "zarr":
        dataset(Y, dims).to_zarr(path, encoding=packed, consolidated=False)
    else:
        dataset(Y, dims).expand_dims("time").to_netcdf(path, engine=engine, encoding=packed)
    scene = read_image(path)
    np.testing.assert_allclose(scene.Y, Y, atol=1e-4)
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, rtol=1e-5)
    assert scene.counting == HEIGHT * WIDTH - 2
    np.testing.assert_allclose(scene.georeference["transform"], (30, 0, 485, 0, -20, 1010))


@needs_xarray
def test_netcdf_that_does_not_say(tmp_path, Y):
    import xarray

    xarray.Dataset({"a": (("i", "j", "k"), Y)}).to_netcdf(tmp_path / "field.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="do not say which are bands, rows and columns"):
        read_image(tmp_path / "field.nc")
    np.testing.assert_array_equal(read_image(tmp_path / "field.nc", layout="bhw").Y, Y)
    xarray.Dataset({"a": (("i", "j", "k"), Y)}).to_netcdf(tmp_path / "three.nc", engine="scipy")
    np.testing.assert_array_equal(read_image(tmp_path / "three.nc", layout="bhw").Y, Y)
    both = xarray.Dataset(dict.fromkeys("ab", (("band", "y", "x"), Y)))
    both.to_netcdf(tmp_path / "both.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="give variable= the image; it holds a "):
        read_image(tmp_path / "both.nc")
    np.testing.assert_array_equal(read_image(tmp_path / "both.nc", variable="b").Y, Y)


@needs_xarray
@pytest.mark.parametrize(
    ("attributes", "factor"),
    [
        ({"units": "%"}, 100),
        ({"units": "percent"}, 100),
        ({"units": "1"}, 1),
        ({"units": "W m-2 sr-1 nm-1"}, None),
        ({"standard_name": "toa_outgoing_radiance_per_unit_wavelength"}, None),
    ],
)
def test_the_unit_of_a_variable(tmp_path, Y, attributes, factor):
    """It is that of the unpacked numbers, after ``scale_factor``."""
    held = dataset(Y * (factor or 1), ("y", "x", "wavelength"))
    held["reflectance"].attrs |= attributes
    packed = {"reflectance": {"dtype": "i4", "scale_factor": 1e-4}}
    held.to_netcdf(tmp_path / "field.nc", engine="h5netcdf", encoding=packed)
    if factor is None:
        with pytest.raises(InputError, match=r"says that its numbers are radiance, .* or give scale=1"):
            read_image(tmp_path / "field.nc")
    scene = read_image(tmp_path / "field.nc", **({} if factor else {"scale": 1}))
    np.testing.assert_allclose(scene.Y, Y, atol=1e-4)


def test_without_the_extra(tmp_path, Y, monkeypatch):
    monkeypatch.setattr(formats, "has", lambda package: False)
    (tmp_path / "field.nc").write_bytes(b"CDF\x01" + bytes(100))
    with pytest.raises(InputError, match=r"needs xarray: pip install 'hsu\[formats\]'"):
        read_image(tmp_path / "field.nc")


def test_plain_hdf5(tmp_path, Y):
    with h5py.File(tmp_path / "field.h5", "w") as file:
        file["data/cube"] = np.round(Y.transpose(1, 2, 0) * 1e4).astype(np.uint16)
        file["data/cube"].attrs["_FillValue"] = 65535
        file["data/wavelength"] = WAVELENGTHS
    scene = read_image(tmp_path / "field.h5")
    np.testing.assert_allclose(scene.Y, Y, atol=1e-4)
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, rtol=1e-6)


def write_hdf5(path, counts, fillvalue=None, **attributes):
    with h5py.File(path, "w") as file:
        held = file.create_dataset("cube", data=counts.transpose(1, 2, 0), fillvalue=fillvalue)
        held.attrs.update({name.replace("_0_", " "): value for name, value in attributes.items()})
        file["wavelength"] = WAVELENGTHS


@pytest.mark.parametrize(
    "told",
    [
        {"fillvalue": 17},
        {"fill_value": 17},
        {"NoData": 17},
        {"no_data_value": 17},
        {"data_0_ignore_0_value": 17},
    ],
)
@pytest.mark.parametrize(
    "scale",
    [
        {"scale_factor": 2e-4},
        {"SCALE_FACTOR": 2e-4},
        {"Scale_Factor": 5000},
        {"reflectance_scale_factor": 5000},
        {"Reflectance_0_Scale_0_Factor": 5000.0},
    ],
)
def test_fill_and_scale_in_every_spelling(tmp_path, Y, told, scale):
    counts = np.round(Y * 5000).astype(np.int16)
    counts[:, 4, 4] = 17
    write_hdf5(tmp_path / "field.h5", counts, **told, **scale)
    scene = read_image(tmp_path / "field.h5")
    assert scene.counting == HEIGHT * WIDTH - 1
    np.testing.assert_allclose(scene.Y[:, :4], Y[:, :4], atol=2e-4)


def test_attributes_that_do_not_fit(tmp_path, Y):
    write_hdf5(tmp_path / "field.h5", Y, scale_factor=np.full(3, 2.0))
    with pytest.raises(InputError, match="scale_factor has 3 values for 8 bands"):
        read_image(tmp_path / "field.h5")
    write_hdf5(tmp_path / "field.h5", np.round(Y * 1e4), valid_range=[0.0, 1.0], scale_factor=1e-4)
    scene = read_image(tmp_path / "field.h5")
    assert scene.mask is None
    assert any("0 to 1, is not of the numbers that it holds" in note for note in scene.read)


@needs_xarray
@pytest.mark.parametrize("valid", [{"valid_range": [0, 10000]}, {"valid_min": 0, "valid_max": 10000}])
def test_numbers_outside_the_valid_range(tmp_path, Y, valid):
    """Most bands outside: no pixel; some bands: told."""
    counts = np.round(Y * 1e4).astype(np.int16)
    counts[:, 4, 4], counts[:, 5, 5], counts[0, 6, 6] = 20000, -1, 20000
    held = dataset(counts, ("wavelength", "y", "x"))
    held["reflectance"].attrs |= {name: np.int16(value) for name, value in valid.items()}
    held["reflectance"].attrs["scale_factor"] = 1e-4
    held.to_netcdf(tmp_path / "field.nc", engine="h5netcdf")
    scene = read_image(tmp_path / "field.nc")
    np.testing.assert_array_equal(np.argwhere(~scene.mask), [[4, 4], [5, 5]])
    assert any("of 1 more pixels in some bands" in note for note in scene.read)


@needs_xarray
def test_fill_of_unsigned_numbers_and_bad_bands(tmp_path, Y):
    counts = np.round(Y * 200).astype(np.uint8)
    counts[:, 4, 4] = 255
    held = dataset(counts.view(np.int8), ("wavelength", "y", "x"))
    held["reflectance"].attrs |= {"_Unsigned": "true", "_FillValue": np.int8(-1), "scale_factor": 0.005}
    held["good_wavelengths"] = ("wavelength", np.array([1, 1, 0, 1, 1, 1, 1, 1], dtype=np.int8))
    held.to_netcdf(tmp_path / "field.nc", engine="h5netcdf")
    scene = read_image(tmp_path / "field.nc")
    np.testing.assert_array_equal(np.argwhere(~scene.mask), [[4, 4]])
    np.testing.assert_array_equal(scene.kept, [0, 1, 3, 4, 5, 6, 7])
    np.testing.assert_allclose(scene.Y[:, :4], Y[scene.kept, :4], atol=0.003)


@needs_rasterio
@pytest.mark.parametrize("without_gdal", [False, True])
def test_scales_of_a_geotiff(tmp_path, Y, without_gdal, monkeypatch):
    import rasterio

    write_geotiff(tmp_path / "field.tif", np.round((Y + 0.1) * 5000).astype(np.int16))
    with rasterio.open(tmp_path / "field.tif", "r+") as file:
        file.scales, file.offsets = [2e-4] * BANDS, [-0.1] * BANDS
    if without_gdal:
        monkeypatch.setattr(formats, "has", lambda package: False)
    np.testing.assert_allclose(read_image(tmp_path / "field.tif").Y, Y, atol=2e-4)


# --------------------------------------------------------------------------- products


def test_prisma(tmp_path, Y):
    """Level 2D: two cubes (lines, bands, samples), bands from long to short, 0 where one is not used."""
    vnir, swir = np.array([0, 950.0, 700, 450]), np.array([2400.0, 1700, 1000, 940])
    with h5py.File(tmp_path / "PRS_L2D_STD.he5", "w") as file:
        fields = file.create_group("HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields")
        for name, key, half, centres in (("VNIR", "Vnir", Y[:4], vnir), ("SWIR", "Swir", Y[4:], swir)):
            stored = np.round((half - 0.05) / 0.9 * 65535).astype(np.uint16)
            fields[f"{name}_Cube"] = stored.transpose(1, 0, 2)
            fields[f"{name}_PIXEL_L2_ERR_MATRIX"] = np.zeros(fields[f"{name}_Cube"].shape, np.uint8)
            file.attrs[f"L2Scale{key}Min"], file.attrs[f"L2Scale{key}Max"] = 0.05, 0.95
            file.attrs[f"List_Cw_{key}"] = centres
    scene = read_image(tmp_path / "PRS_L2D_STD.he5")
    np.testing.assert_allclose(scene.wavelengths, [450, 700, 940, 950, 1000, 1700, 2400])
    np.testing.assert_allclose(scene.Y, Y[[3, 2, 7, 1, 6, 5, 4]], atol=2e-5)


def test_prisma_radiance_is_refused(tmp_path):
    with h5py.File(tmp_path / "PRS_L1_STD.he5", "w") as file:
        file.create_group("HDFEOS/SWATHS/PRS_L1_HCO/Data Fields")
    with pytest.raises(InputError, match="no surface reflectance: take a product of level 2C or 2D"):
        read_image(tmp_path / "PRS_L1_STD.he5")


def test_emit(tmp_path, Y):
    """Level 2A: reflectance (downtrack, crosstrack, bands) with -9999, band parameters in a group."""
    values = Y.transpose(1, 2, 0).copy()
    values[:, 0], values[..., 5] = -9999, -0.01
    good = np.arange(BANDS) != 5
    with h5py.File(tmp_path / "EMIT_L2A_RFL.nc", "w") as file:
        file["reflectance"] = values
        file["reflectance"].attrs["_FillValue"] = np.float32(-9999)
        file["sensor_band_parameters/wavelengths"] = WAVELENGTHS
        file["sensor_band_parameters/good_wavelengths"] = good.astype(np.float32)
    scene = read_image(tmp_path / "EMIT_L2A_RFL.nc")
    np.testing.assert_array_equal(scene.Y[:, :, 1:], Y[good][:, :, 1:])
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS[good], rtol=1e-6)
    assert scene.counting == HEIGHT * (WIDTH - 1)


@needs_rasterio
def test_enmap(tmp_path, Y):
    """Level 2A: GeoTIFF of ten-thousandths, -32768 outside, wavelengths and gains in the XML beside it."""
    counts = np.round(Y * 1e4).astype(np.int16)
    counts[:, :, 0] = -32768
    name = "ENMAP01-____L2A-DT0000001_20220601T000000Z_001_V010000_20220601T000000Z"
    write_geotiff(tmp_path / f"{name}-SPECTRAL_IMAGE.TIF", counts)
    bands = "".join(
        f'<bandID number="{k + 1}"><wavelengthCenterOfBand>{nm}</wavelengthCenterOfBand>'
        "<GainOfBand>0.0001</GainOfBand><OffsetOfBand>0</OffsetOfBand></bandID>"
        for k, nm in enumerate(WAVELENGTHS)
    )
    xml = f"<level_X><specific><bandCharacterisation>{bands}</bandCharacterisation></specific></level_X>"
    (tmp_path / f"{name}-METADATA.XML").write_text(xml)
    scene = read_image(tmp_path / f"{name}-SPECTRAL_IMAGE.TIF")
    np.testing.assert_allclose(scene.Y[:, :, 1:], Y[:, :, 1:], atol=1e-4)
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, rtol=1e-6)
    assert scene.counting == HEIGHT * (WIDTH - 1)
    (tmp_path / f"{name}-METADATA.XML").write_text("<level_X>")
    with pytest.raises(InputError, match=r"METADATA\.XML: cannot be read"):
        read_image(tmp_path / f"{name}-SPECTRAL_IMAGE.TIF")


@needs_rasterio
def test_desis(tmp_path, Y):
    write_geotiff(tmp_path / "DESIS-HSI-L2A-DT01-SPECTRAL_IMAGE.tif", np.round(Y * 1e4).astype(np.int16))
    bands = "".join(
        f"<band><bandNumber>{k + 1}</bandNumber><wavelengthCenterOfBand>{nm}</wavelengthCenterOfBand>"
        "<gainOfBand>0.0001</gainOfBand><offsetOfBand>0.0</offsetOfBand></band>"
        for k, nm in reversed(list(enumerate(WAVELENGTHS)))
    )
    xml = f"<hsi_doc><specific><bandCharacterisation>{bands}</bandCharacterisation></specific></hsi_doc>"
    (tmp_path / "DESIS-HSI-L2A-DT01-METADATA.xml").write_text(xml)
    scene = read_image(tmp_path / "DESIS-HSI-L2A-DT01-SPECTRAL_IMAGE.tif")
    np.testing.assert_allclose(scene.Y, Y, atol=1e-4)
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, rtol=1e-6)


def test_neon(tmp_path, Y):
    """Reflectance_Data (lines, columns, bands) with its own words for fill value and divisor."""
    values = np.round(Y.transpose(1, 2, 0) * 1e4).astype(np.int16)
    values[0] = -9999
    with h5py.File(tmp_path / "NEON_D01.h5", "w") as file:
        file["SITE/Reflectance/Reflectance_Data"] = values
        about = file["SITE/Reflectance/Reflectance_Data"].attrs
        about["Data_Ignore_Value"], about["Scale_Factor"] = -9999.0, 10000.0
        file["SITE/Reflectance/Metadata/Spectral_Data/Wavelength"] = WAVELENGTHS
        file["SITE/Reflectance/Metadata/Spectral_Data/Wavelength"].attrs["Units"] = "nanometers"
    scene = read_image(tmp_path / "NEON_D01.h5")
    np.testing.assert_allclose(scene.Y[:, 1:], Y[:, 1:], atol=1e-4)
    assert scene.counting == (HEIGHT - 1) * WIDTH
    assert any("in the file: nanometers" in note for note in scene.read)


# --------------------------------------------------------------------------- whatever a file is called


@needs_rasterio
def test_a_mask_of_the_file(tmp_path, Y):
    import rasterio

    write_geotiff(tmp_path / "field.tif", Y)
    mask = np.full((HEIGHT, WIDTH), 255, dtype=np.uint8)
    mask[:3, 4] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(tmp_path / "field.tif", "r+") as file:
        file.write_mask(mask)
    scene = read_image(tmp_path / "field.tif")
    np.testing.assert_array_equal(scene.mask, mask > 0)
    assert "3 of 108 pixels are outside the mask of the file" in scene.read


@needs_xarray
def test_an_image_in_a_group(tmp_path, Y):
    import xarray

    xarray.Dataset({"note": ("t", [1.0, 2.0])}).to_netcdf(tmp_path / "field.nc", engine="h5netcdf")
    dataset(Y, ("wavelength", "y", "x")).to_netcdf(
        tmp_path / "field.nc", group="data", mode="a", engine="h5netcdf"
    )
    scene = read_image(tmp_path / "field.nc")
    np.testing.assert_array_equal(scene.Y, Y)
    np.testing.assert_allclose(scene.wavelengths, WAVELENGTHS, rtol=1e-5)


def test_content_decides_and_not_the_name(tmp_path, Y):
    tifffile.imwrite(tmp_path / "field.tif", Y, photometric="minisblack", planarconfig="separate")
    np.savez(tmp_path / "field.npz", Y=Y, wavelengths=WAVELENGTHS)
    savemat(tmp_path / "field.mat", {"Y": Y, "wavelengths": WAVELENGTHS})
    for name in ("field.tif", "field.npz", "field.mat"):
        for other in ("other.mat", "other.npz", "other.dat", "other"):
            (tmp_path / other).write_bytes((tmp_path / name).read_bytes())
            np.testing.assert_array_equal(read_image(tmp_path / other).Y, Y)


def test_what_is_no_image_at_all(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)
    with zipfile.ZipFile(tmp_path / "field.zip", "w") as archive:
        archive.writestr("field.txt", "hello")
    with pytest.raises(InputError, match="zip archive without arrays of NumPy: unzip it"):
        read_image(tmp_path / "field.zip")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="is no file, but a device or a pipe"):
        read_image(tmp_path / "pipe")
    (tmp_path / "esri.hdr").write_text("NROWS 12\nNCOLS 9\n")
    with pytest.raises(InputError, match="its first line is 'NROWS 12', not 'ENVI'; give its image"):
        read_image(tmp_path / "esri.hdr")
    (tmp_path / "field.img.gz").write_bytes(gzip.compress(b"hello"))
    with pytest.raises(InputError, match="decompress it first"):
        read_image(tmp_path / "field.img.gz")
    (tmp_path / "field.npy").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path / "field.npy")


@pytest.mark.real_data
def test_the_tiff_of_hysu_is_read_as_one():
    """An ENVI header lies beside it, with wavelengths, a scale and a fill value."""
    scene, (path, _) = real("hysu"), locate("hysu/Full.tif", download=False)
    for given in (path, path.with_suffix(".hdr")):
        if given.is_file():
            found = read_image(given)
            np.testing.assert_allclose(found.Y, scene.Y, rtol=1e-6)
            assert found.mask is None
