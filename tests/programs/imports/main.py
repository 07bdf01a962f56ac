"""A program whose modules fail while they are imported."""

import sys

marker = object()
import models
import settings

print("models", models.Order.fields, models.Order.count_fields())
print("settings", settings.LIMIT, settings.NAMES, settings is sys.modules["settings"])
