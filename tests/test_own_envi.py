"""ENVI files of every kind, whole and damaged: the right cube or an error in one line."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hsu_lib.errors import InputError
from hsu_lib.scenes import read_image

EXAMPLES = int(os.environ.get("HSU_EXAMPLES", "200"))
TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}
UNITS = {
    "Nanometers": lambda nm: nm,
    "nm": lambda nm: nm,
    "Micrometers": lambda nm: nm / 1e3,
    "\u00b5m": lambda nm: nm / 1e3,
    "Angstroms": lambda nm: nm * 10,
    "\u00c5": lambda nm: nm * 10,
    "Wavenumber": lambda nm: 1e7 / nm,
    "cm-1": lambda nm: 1e7 / nm,
    "GHz": lambda nm: 299_792_458 / nm,
    "MHz": lambda nm: 299_792_458e3 / nm,
    "Millimeters": lambda nm: nm / 1e6,
    "Index": lambda nm: np.arange(len(nm)) + 1.0,
    "Unknown": lambda nm: nm,
    "furlongs": lambda nm: nm,
}
#: What headers say of the numbers: nothing, percent, radiance.
WORDS = (
    {"data units": "Reflectance"},
    {"z plot titles": "{Wavelength, Reflectance}"},
    {"data units": ""},
    {"description": "{reflectance, of radiance}"},
)
PERCENT = ({"data units": "%"}, {"data units": "Percent"}, {"z plot titles": "{nm, Reflectance (%)}"})
RADIANCE = (
    {"data units": "W/(m^2 sr nm)"},
    {"data units": "uW cm-2 sr-1 nm-1"},
    {"z plot titles": "{Wavelength, Radiance}"},
    {"description": "{at-sensor radiance}"},
)
NUMBERED = ("Index", "furlongs")  # band numbers are left


@dataclass
class Envi:
    """A header, its numbers, and what they are."""

    fields: dict[str, str]
    content: bytes
    Y: np.ndarray  # reflectance, NaN where there is no data
    wavelengths: np.ndarray | None  # nm, None where the header leaves them open
    true: np.ndarray  # nm
    scale: float  # by which they were divided, after gains
    style: dict[str, object] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        style = self.style
        newline = style["newline"]
        lines = ["ENVI"]
        for name, value in self.fields.items():
            name = name.upper() if style["capitals"] else name
            lines.append(f"{name}{style['blank']}={style['blank']}{value}")
            if style["comments"]:
                lines.append("; a comment = {")
        encoded = newline.join(lines).encode(style["encoding"])
        header = folder / ("field.HDR" if style["ending"].isupper() else "field.hdr")
        header.write_bytes((b"\xef\xbb\xbf" if style["bom"] else b"") + encoded + newline.encode())
        (folder / f"field{style['ending']}").write_bytes(self.content)
        return header


@st.composite
def envi(draw) -> Envi:
    bands, height, width = draw(st.integers(3, 9)), draw(st.integers(1, 8)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    R = rng.uniform(0.05, 0.9, (bands, height, width))
    code, order = draw(st.sampled_from(list(TYPES))), draw(st.sampled_from("01"))
    dtype = np.dtype(TYPES[code]).newbyteorder("<" if order == "0" else ">")
    whole = dtype.kind in "iu"
    fields = {"samples": str(width), "lines": str(height), "bands": str(bands), "data type": str(code)}
    gain, offset, scale = np.ones(bands), np.zeros(bands), 1.0
    ways = ["scale", "gains", "gains and offsets", "both alike"] + ([] if whole else ["none", "percent"])
    way = draw(st.sampled_from(ways))
    unit = 200.0 if code == 1 else 10_000.0
    if draw(st.booleans()):  # words that say nothing new
        fields |= draw(st.sampled_from(WORDS))
    if way == "scale":
        scale = unit
        fields["reflectance scale factor"] = draw(st.sampled_from(["{:g}", "{:.6f}", "{:e}"])).format(unit)
    elif way == "percent":
        scale = 100.0
        fields |= draw(st.sampled_from(PERCENT))
    elif way != "none":
        gain = np.full(bands, 1 / unit) * (1 if way == "both alike" else rng.uniform(0.9, 1.2, bands))
        fields["data gain values"] = listed(gain)
        if way == "gains and offsets":
            offset = np.full(bands, -0.05)
            fields["data offset values"] = listed(offset)
        if way == "both alike":
            fields["reflectance scale factor"] = f"{unit:g}"
    raw = (R - offset[:, None, None]) / gain[:, None, None] * scale
    raw = (np.round(raw) if whole else raw).astype(dtype)
    fill = draw(st.sampled_from([None, 0, 255] if dtype.str[1] == "u" else [None, 0, -9999]))
    hole = np.zeros((height, width), dtype=bool)
    if fill is not None:
        raw[raw == fill] += 1
        hole = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.1, 0.6]))
        hole[0, 0] = False
        raw[:, hole] = fill
        fields["data ignore value"] = draw(st.sampled_from([f"{fill}", f"{fill}.0", f"{{{fill}}}"]))
    elif dtype.kind == "f" and draw(st.booleans()):
        hole = rng.random((height, width)) < 0.2
        hole[0, 0] = False
        raw[:, hole] = np.nan
    good = np.ones(bands, dtype=bool)
    if draw(st.booleans()):
        good[rng.integers(bands)] = False
        fields["bbl"] = "{" + ", ".join("1" if keep else "0" for keep in good) + "}"
    empty = draw(st.booleans()) and bands > 3 and fill is not None
    if empty:
        band = int(np.flatnonzero(good)[-1])
        raw[band] = fill
        good[band] = False
    Y = (raw.astype(np.float64) * gain[:, None, None] + offset[:, None, None]) / scale
    Y[:, hole] = np.nan
    said = draw(st.sampled_from([None, *UNITS]))
    wavelengths = np.linspace(*draw(st.sampled_from([(400, 2500), (900, 420)])), bands)
    if said is not None:
        fields["wavelength"] = listed(UNITS[said](wavelengths))
        fields["wavelength units"] = said
    interleave = draw(st.sampled_from(list(AXES)))
    spelled = draw(st.sampled_from([interleave, interleave.upper(), f" {interleave} ", f"{{{interleave}}}"]))
    before = draw(st.sampled_from([0, 0, 7, 512]))
    fields |= {"interleave": spelled, "byte order": order}
    if before or draw(st.booleans()):
        fields["header offset"] = str(before)
    if draw(st.booleans()):
        fields["file type"] = draw(st.sampled_from(["ENVI Standard", "ENVI STANDARD", "envi standard"]))
    if "description" not in fields and draw(st.booleans()):
        fields["description"] = draw(st.sampled_from(["{a = b}", "{two\n  lines, bands = many}", "{}", ""]))
    names = draw(st.permutations(list(fields)))
    style = {
        "newline": draw(st.sampled_from(["\n", "\r\n"])),
        "capitals": draw(st.booleans()),
        "blank": draw(st.sampled_from([" ", "", "  "])),
        "comments": draw(st.booleans()),
        "encoding": draw(st.sampled_from(["utf-8", "latin-1"])),
        "ending": draw(st.sampled_from([".img", ".IMG", ".dat", "", ".raw", f".{interleave}"])),
    }
    style["bom"] = style["encoding"] == "utf-8" and draw(st.booleans())
    content = bytes(before) + np.ascontiguousarray(raw.transpose(AXES[interleave])).tobytes()
    return Envi(
        {name: fields[name] for name in names},
        content,
        Y[good],
        None if said in (None, *NUMBERED) else wavelengths[good],
        wavelengths[good],
        scale,
        style,
    )


def listed(values) -> str:
    return "{" + ",\n ".join(f"{value:.9g}" for value in values) + "}"


def agrees(scene, image: Envi) -> None:
    np.testing.assert_allclose(scene.Y, image.Y, rtol=1e-5, atol=1e-6)
    if image.wavelengths is None:
        assert scene.wavelengths is None
    else:
        np.testing.assert_allclose(scene.wavelengths, image.wavelengths, rtol=1e-5)


def one_line(error: Exception) -> None:
    assert isinstance(error, InputError | FileNotFoundError)
    text = getattr(error, "for_command_line", str(error))
    assert "\n" not in text
    assert "field" in text
    assert "Error" not in text
    assert not re.search("[\u27e6\u27e7]", text)


slow = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(envi())
def test_whole_files_are_read(image):
    with tempfile.TemporaryDirectory() as folder:
        agrees(read_image(image.write(Path(folder))), image)


@slow
@given(envi(), st.integers(1, 600), st.sampled_from(RADIANCE))
def test_what_a_refusal_says_settles_it(image, many, words):
    """Bytes too many before or after the numbers, and radiance."""
    with tempfile.TemporaryDirectory() as folder:
        content, image.content = image.content, image.content + bytes(many)
        path = image.write(Path(folder))
        with pytest.raises(
            InputError, match=f"{many} bytes too many, before .* or after|would fit"
        ) as refusal:
            read_image(path)
        one_line(refusal.value)
        size = int(re.search(r"cut the file to (\d+) bytes", str(refusal.value))[1])
        image.content = image.content[:size]
        assert image.content == content
        agrees(read_image(image.write(Path(folder))), image)
        reflectance = "reflectance" in str(image.fields).lower() and "data units" not in words
        if not reflectance and "reflectance scale factor" not in image.fields:
            image.fields |= words
            with pytest.raises(InputError, match=r"numbers are radiance, .* or give scale=1 to unmix"):
                read_image(image.write(Path(folder)))
            image.Y = image.Y * image.scale
            agrees(read_image(image.write(Path(folder)), scale=1), image)


LISTS = ("data gain values", "data offset values", "bbl", "wavelength")


@st.composite
def damaged(draw) -> Envi:
    """An image of which a field or the file is not what it should be."""
    image = draw(envi())
    fields = dict(image.fields)
    name = draw(st.sampled_from(sorted(set(fields) - {"description"})))
    value = fields[name]
    kinds = ["gone", "junk", "file", "twice", "other number", "empty"]
    kinds += ["short", "one odd", "not closed"] if name in LISTS else []
    kind = draw(st.sampled_from(kinds))
    if kind == "gone":
        del fields[name]
    elif kind == "junk":
        fields[name] = draw(
            st.sampled_from(["?", "-3", "1e99", "nan", "{", "}", "1_0", "\u00b2", "seven, 8"])
        )
    elif kind == "empty":
        fields[name] = draw(st.sampled_from(["", "{}", "{ }"]))
    elif kind == "other number":
        fields[name] = str(draw(st.integers(0, 40)))
    elif kind == "short":
        fields[name] = "{" + value.strip("{}").partition(",")[2] + "}"
    elif kind == "one odd":
        first, comma, rest = value.strip("{}").partition(",")
        fields[name] = (
            "{" + draw(st.sampled_from(["x", "inf", "-1", "", first + " " + first])) + comma + rest + "}"
        )
    elif kind == "not closed":
        fields[name] = value.rstrip("}")
    elif kind == "twice":
        fields[f" {name} "] = "17"
    content = image.content
    if kind == "file":
        cut = draw(st.integers(0, len(content)))
        content = draw(st.sampled_from([content[:cut], content + bytes(cut + 1), content[cut:]]))
    image.fields, image.content = fields, content
    image.style["damage"] = (kind, name, fields.get(name))
    return image


#: Fields that may say another thing that is as good, which no reader could know.
STATEMENTS = (
    "data gain values",
    "data offset values",
    "reflectance scale factor",
    "data ignore value",
    "bbl",
)


@slow
@given(damaged())
def test_damaged_files_are_read_right_or_refused(image):
    kind, name, _ = image.style["damage"]
    told = name in STATEMENTS and kind in ("gone", "empty", "other number", "junk", "one odd")
    with tempfile.TemporaryDirectory() as folder:
        path = image.write(Path(folder))
        try:
            scene = read_image(path)
        except (InputError, FileNotFoundError) as error:
            one_line(error)
            return
    if name.startswith("wavelength") and kind != "file":  # without them, or by a guess that is right
        unused = kind == "one odd" and image.fields.get("bbl", "").strip("{ ").startswith("0")
        assert unused or kind in ("gone", "empty", "junk", "other number")
        image.wavelengths = None if scene.wavelengths is None else image.true
    if not told and (name, kind) != ("byte order", "other number"):
        agrees(scene, image)
