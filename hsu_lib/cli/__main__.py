"""``python -m hsu_lib.cli`` is ``hsu``."""

from hsu_lib.cli import main

if __name__ == "__main__":
    main()
