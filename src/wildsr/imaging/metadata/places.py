"""What in metadata says where a picture was taken, and what may say it in words nobody here can judge."""

import re
from typing import Final

_COORDINATES = re.compile(r"^gps|^geo(?!met)|latitude|longt?itude|altitude", re.I)
_LOCATION = re.compile(r"(?<!al)location", re.I)
_NAMES: Final = frozenset(
    (
        "city", "state", "province", "provincestate", "country", "countrycode", "countryname", "worldregion",
        "coverage", "spatial", "landmark", "locality", "municipality", "county", "continent", "island",
        "islandgroup", "waterbody", "footprintwkt", "venue",
    )
)  # fmt: skip
_NOT_PLACES: Final = frozenset(("subjectlocation", "persistentlocation"))
"""Where the subject is in the picture, and where the file was."""

UNJUDGED_XMP: Final = (
    ("dc", "title"),
    ("dc", "description"),
    ("dc", "subject"),
    ("photoshop", "Headline"),
    ("photoshop", "Instructions"),
    ("photoshop", "SupplementalCategories"),
    ("lr", "hierarchicalSubject"),
    ("Iptc4xmpCore", "CreatorContactInfo"),
    ("Iptc4xmpCore", "Scene"),
    ("Iptc4xmpExt", "Event"),
    ("exif", "UserComment"),
    ("mwg-kw", "Keywords"),
    ("digiKam", "TagsList"),
    ("MicrosoftPhoto", "LastKeywordXMP"),
)
"""Properties in words, named to who strips the place; told apart by their local name."""

JUDGED_TEXT: Final = ("Author", "Copyright", "Creation Time", "Software")
"""Keywords of texts that name no place."""

UNJUDGED_EXIF: Final = {
    0x010D: "DocumentName",
    0x010E: "ImageDescription",
    0x9C9B: "XPTitle",
    0x9C9C: "XPComment",
    0x9C9E: "XPKeywords",
    0x9C9F: "XPSubject",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0xA436: "ImageTitle",
}
"""Tags in words, and the maker's own block."""

IPTC_PLACES: Final = {
    26: "content location code",
    27: "content location name",
    90: "city",
    92: "sub-location",
    95: "province or state",
    100: "country code",
    101: "country",
}
"""Datasets of record 2 that name a place."""

UNJUDGED_IPTC: Final = {
    5: "object name",
    20: "supplemental category",
    25: "keywords",
    40: "special instructions",
    105: "headline",
    118: "contact",
    120: "caption",
}
"""Datasets of record 2 in words."""


def names_a_place(local: str) -> bool:
    """Tell whether a property, known by its local name in whatever namespace, says where a picture was taken."""
    lower = local.lower()
    if lower in _NOT_PLACES:
        return False
    return lower in _NAMES or bool(_COORDINATES.search(local)) or bool(_LOCATION.search(local))
