"""What spark-submit is given; driver and executors need guardduty-lens with its extra `spark`."""

from guardduty_lens.aws.spark import main

main()
