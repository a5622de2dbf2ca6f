"""The networks that can be trained, by name. One public network per file."""

from __future__ import annotations

from fer_core.errors import OptionError
from train.architectures.base import Architecture, ArchitectureOptions
from train.architectures.base_stack import Base
from train.architectures.cnn48 import Cnn48
from train.architectures.cnn56 import Cnn56
from train.architectures.compact48 import Compact48
from train.architectures.dcnn import Dcnn
from train.architectures.googlenet import Googlenet
from train.architectures.inception_v3 import InceptionV3
from train.architectures.mini_xception import MiniXception
from train.architectures.plain48 import Plain48
from train.architectures.resnet18 import Resnet18
from train.architectures.resnet34 import Resnet34
from train.architectures.resnet50 import Resnet50
from train.architectures.tiny48 import Tiny48
from train.architectures.vgg13 import Vgg13
from train.architectures.vgg16 import Vgg16
from train.architectures.wide48 import Wide48

__all__ = ["ARCHITECTURES", "Architecture", "ArchitectureOptions", "architecture"]

ARCHITECTURES: dict[str, type[Architecture]] = {
    kind.name: kind
    for kind in (
        Base,
        Cnn48,
        Cnn56,
        Compact48,
        Dcnn,
        Googlenet,
        InceptionV3,
        MiniXception,
        Plain48,
        Resnet18,
        Resnet34,
        Resnet50,
        Tiny48,
        Vgg13,
        Vgg16,
        Wide48,
    )
}


def architecture(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        OptionError: there is none of that name.
    """
    try:
        return ARCHITECTURES[name]()
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise OptionError(f"Unknown architecture. Received: {name!r}. Known: {known}.") from None
