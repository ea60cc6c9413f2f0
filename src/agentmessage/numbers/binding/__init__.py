"""The reconciler: makes each number's carrier binding follow the desired campaign."""
