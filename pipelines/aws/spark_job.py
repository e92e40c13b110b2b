"""What spark-submit is given; guardduty-lens[spark] has to be installed where driver and executors run."""

from guardduty_lens.aws.spark import main

main()
