"""The lessons lie at the top of the repository and are installed as ``flambeau.lessons``; all else is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[*find_namespace_packages("src"), "flambeau.lessons"],
    package_dir={"": "src", "flambeau.lessons": "lessons"},
)
