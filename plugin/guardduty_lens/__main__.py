"""`python -m guardduty_lens`: the command, where its script is not on the path."""

from guardduty_lens.cli.start import main

if __name__ == "__main__":
    main()
