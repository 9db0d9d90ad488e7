"""Prints the JSON Schemas of classes of OCSF, by their numbers.

    python schemas.py VERSION CLASS_UID...
"""
import json
import sys

from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

version, *numbers = sys.argv[1:]
ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
names = {number: ocsf.lookup_class_name_from_uid(int(number)) for number in numbers}
print(json.dumps({number: ocsf.get_class_schema(name) for number, name in names.items()}))
