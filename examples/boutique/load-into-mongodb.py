#!/usr/bin/env python3
"""Loads the boutique catalogue into MongoDB, replacing what is in its five collections.

Needs Python 3.8 or newer and pymongo:  python3 -m pip install pymongo

    MONGODB_URI=mongodb://localhost:27017 python3 load-into-mongodb.py [DATABASE]

DATABASE is lantern_street unless given. The documents go in exactly as written in catalog/*.jsonl.
"""

import os
import sys
from pathlib import Path

try:
    from bson import json_util
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError
except ImportError:
    sys.exit("pymongo is missing; install it with: python3 -m pip install pymongo")

CATALOG = Path(__file__).resolve().parent / "catalog"


def main() -> None:
    database_name = sys.argv[1] if len(sys.argv) > 1 else "lantern_street"
    client = MongoClient(os.environ.get("MONGODB_URI", "mongodb://localhost:27017"), serverSelectionTimeoutMS=5000)
    try:
        database = client[database_name]
        for path in sorted(CATALOG.glob("*.jsonl")):
            documents = [json_util.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
            database.drop_collection(path.stem)
            database[path.stem].insert_many(documents)
            print(f"{database_name}.{path.stem}: {len(documents)} documents")
    except PyMongoError as error:
        # The driver's message names the server but never the password.
        sys.exit(f"loading into {database_name} failed: {error}")


if __name__ == "__main__":
    main()
