"""Changes to a signed report (篡改样本), seeded: none of them may be answered intact, valid and trusted."""
