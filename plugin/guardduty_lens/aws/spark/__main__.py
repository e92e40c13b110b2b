"""`python -m guardduty_lens.aws.spark`."""

from guardduty_lens.aws.spark.command import main

if __name__ == "__main__":
    main()
