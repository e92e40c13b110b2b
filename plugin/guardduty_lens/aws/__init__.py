"""What runs in AWS: handlers of Lambda functions, from EventBridge to an archive in S3, and from there on."""
