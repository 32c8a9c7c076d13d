"""From a run to a decided month: the steps of its life, appeals, amendments, sheets that come back."""
