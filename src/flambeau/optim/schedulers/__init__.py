"""Learning rate schedules, one family a file; users find them in ``optim.lr_scheduler``."""
