#!/usr/bin/env python3
"""Makes an eyewear catalogue of any size, the same bytes every time.

    benches/make_catalog.py COUNT DIR [--currency EUR]

Writes what mongoexport would: products.jsonl (about 3 kB a document, the three built-in document shapes mixed, one document in a
hundred unsellable), brands.jsonl, categories.jsonl, face_shape_compatibility.jsonl, user_analytics.jsonl. Beside them goes
truth.jsonl: for each product, in plain fields, what it is and whether it can be sold. Tests compare stores with it.
"""

import argparse
import base64
import json
import random
from pathlib import Path

FIRST = "Alder Birch Cedar Dahlia Ember Fennel Garnet Hazel Indigo Juniper Kelp Linden Mallow Nettle Ochre Poppy Quartz Russet Sorrel Teasel Umber Violet Willow Yarrow".split()
SECOND = "Arch Bay Cove Dale Edge Fell Gate Heath Isle Knoll Lane Mere Nook Orchard Pier Quay Ridge Strand Terrace Vale Wharf Yard".split()
BRANDS = "Arbel Brandon Corvo Dunmere Estrel Fallow Grevin Harrow Istrel Jorvan Kelmar Lorne Morrow Norrell Orlane Perrin Quenby Rosmer Stavely Tarrant Ulvik Verrin Wexcombe Yarmot".split()
SHAPES = {  # normalised key: spellings in nested and foundation documents
    "round": ["round", "Round", "circle"],
    "oval": ["oval", "Oval"],
    "square": ["square", "SQUARE"],
    "rectangle": ["rectangular", "rectangle", "Rectangular"],
    "cat-eye": ["cat_eye", "cat-eye", "Cat Eye", "cateye"],
    "aviator": ["aviator", "Aviator"],
    "wayfarer": ["wayfarer", "Wayfarer"],
}
TYPES = {"prescription": ["prescription", "glasses"], "sunglasses": ["sunglasses", "Sunglasses"], "blue-light": ["blue_light", "Blue Light"], "reading": ["reading"]}
MATERIALS = {"acetate": ["acetate", "Acetate"], "titanium": ["titanium", "TITANIUM"], "stainless-steel": ["stainless_steel", "Stainless Steel"], "tr90": ["TR90", "tr-90"], "wood": ["wood"]}
GENDERS = {"women": ["women", "Female"], "men": ["men", "male"], "unisex": ["unisex", "Unisex"]}
COLORS = ["Black", "Tortoise", "Honey", "Navy", "Olive", "Crystal", "Burgundy", "Gunmetal", "Rose Gold", "Forest"]
FACES = ["oval", "round", "square", "heart", "diamond", "oblong"]
SENTENCES = [
    "The front is cut from one piece and finished by hand, so the edges catch the light in a single line.",
    "Five-barrel hinges open with the weight of a good door and close without a sound.",
    "The bridge was moved by half a millimetre four times before the maker was content.",
    "It takes progressive lenses without complaint and hides the edge of thick ones.",
    "The colour goes all the way through, so a scratch polishes out and stays out.",
    "Temples taper towards the ear, where weight matters most at the end of a long day.",
    "Made in small batches from stock that is ordered a year ahead.",
    "Under artificial light it looks almost black; outdoors it shows what it is made of.",
    "A case of felted wool comes with it, and a cloth that survives the washing machine.",
    "The inside is matte, so that it does not slip when the weather turns warm.",
    "Each pair is bent by hand at the temple tips before it leaves the workshop.",
    "The proportions follow an optician's drawing from the fifties, widened for the faces of today.",
]
ROOTS = ["Eyeglasses", "Sunglasses", "Screen", "Reading"]
DAY = 86_400_000


def object_id(kind: int, number: int) -> str:
    return f"{0x66000000 + number % 40_000_000:08x}{kind:06x}{number:010x}"


def date(days: int) -> dict:
    # 2024-01-01 and that many days.
    return {"$date": {"$numberLong": str(1_704_067_200_000 + days * DAY)}}


def slug_of(name: str) -> str:
    return name.lower().replace(" ", "-")


def category_tree():
    """Root, child, grandchild: (key, name, parent key)."""
    rows = []
    for root in ROOTS:
        rows.append((root, root, None))
        for child in ("Classic", "Modern", "Light"):
            rows.append((f"{root} {child}", f"{root} {child}", root))
            for leaf in range(2):
                rows.append((f"{root} {child} {leaf}", f"{root} {child} No {leaf + 1}", f"{root} {child}"))
    return rows


def amount(cents: int, style: int):
    text = f"{cents // 100}.{cents % 100:02d}"
    return [
        {"$numberDecimal": text},
        float(text),
        f"${text}",
        text.replace(".", ",") + " €",
        {"$numberDouble": text},
        text,
    ][style % 6]


class Catalog:
    def __init__(self, count: int, currency: str):
        self.count = count
        self.currency = currency
        self.categories = category_tree()
        self.category_number = {row[0]: number for number, row in enumerate(self.categories)}

    def product(self, number: int):
        """One product: the document, and the truth about it."""
        rng = random.Random(number * 2_654_435_761 + 17)
        choose = rng.choice
        dialect = "NFM"[number % 3]
        name = f"{choose(FIRST)} {choose(SECOND)} {number:06d}"
        brand = rng.randrange(len(BRANDS))
        category = choose(self.categories)[0]
        shape, kind, gender = choose(list(SHAPES)), choose(list(TYPES)), choose(list(GENDERS))
        material = choose(list(MATERIALS))
        cents = rng.randrange(3_900, 49_900)
        before = cents + rng.randrange(1_000, 9_000) if rng.random() < 0.2 else None
        quantity = 0 if rng.random() < 0.2 else rng.randrange(1, 60)
        trouble = rng.choice(["no_name", "no_price", "negative", "inactive"]) if number % 100 == 99 else None
        text = " ".join(rng.sample(SENTENCES, 5 + number % 4))
        days = rng.randrange(900)
        lens, bridge, temple = rng.randrange(44, 58), rng.randrange(15, 23), choose([135, 140, 145, 150])
        front = 2 * lens + bridge + 18
        fits = {face: round(rng.uniform(0.2, 0.98), 2) for face in FACES} if rng.random() < 0.6 else None
        sku = f"{BRANDS[brand][:3].upper()}-{number:06d}"
        shared = (rng, number, name, brand, category, shape, kind, gender, material, cents, before, quantity, text, days, lens, bridge, temple, front, fits, sku)
        document = {"N": self.nested, "F": self.flat, "M": self.foundation}[dialect](*shared)
        if trouble == "no_name":
            del document["name"]
        elif trouble == "no_price":
            del document["price"]
        elif trouble == "negative":
            if dialect == "N":
                document["price"] = {"base_price": -cents / 100, "currency": self.currency}
            else:
                document["price"] = -cents / 100
        elif trouble == "inactive":
            if dialect == "N":
                document["metadata"]["status"] = "draft"
            else:
                document["is_active" if dialect == "F" else "active"] = False
        flat = dialect == "F"
        # Nested documents say what a frame is for only where it is for near things; flat ones not at all.
        told = {"N": kind if kind in ("reading", "blue-light") else None, "F": None, "M": kind}[dialect]
        truth = {
            "number": number, "dialect": dialect, "sku": sku, "name": name, "slug": slug_of(name), "brand": BRANDS[brand], "category": category,
            "cents": cents, "in_stock": quantity > 0, "materials": [material],
            "frame_shape": None if flat else shape, "frame_type": told, "gender": None if flat else gender,
            "trouble": trouble,
        }
        return document, truth

    def nested(self, rng, number, name, brand, category, shape, kind, gender, material, cents, before, quantity, text, days, lens, bridge, temple, front, fits, sku):
        style = number // 3
        price = {"base_price": amount(before or cents, style), "currency": self.currency, "cost_price": round(cents / 290, 2), "price_history": [{"price": cents / 100 + 10, "date": date(days)}]}
        if before:
            price["discounted_price"] = amount(cents, style)
        document = {
            "_id": {"$oid": object_id(1, number)},
            "product_id": f"00000000-0000-4000-8000-{number:012x}",
            "sku": sku,
            "name": name,
            "description": f"<p>{text}</p>" if style % 3 == 0 else text,
            "short_description": text.split(". ")[0].rstrip(".") + ".",
            "brand_id": {"$oid": object_id(2, brand)},
            "category_ids": [{"$oid": object_id(3, self.category_number[category])}],
            "price": price,
            "inventory": {"quantity": {"$numberLong": str(quantity)} if style % 2 else quantity, "low_stock_threshold": 3, "status": "out_of_stock" if quantity == 0 else "in_stock", "warehouse_locations": ["NORTH-7"]},
            "specifications": {
                "frame": {"material": rng.choice(MATERIALS[material]), "color": rng.choice(COLORS), "shape": rng.choice(SHAPES[shape]), "style": rng.choice(["full-rim", "Full Rim"]), "weight": rng.randrange(9, 40), "width": front, "height": 42, "temple_length": temple, "hinge_type": "spring"},
                "lens": {"material": "CR-39", "color": "clear", "width": lens, "height": 38, "prescription_ready": True, "uv_protection": "UV400", "coating": ["anti-reflective", "scratch-resistant"], "polarized": kind == "sunglasses"},
                "measurements": {"eye_size": lens, "bridge_size": str(bridge) if style % 4 == 1 else bridge, "temple_length": temple, "frame_width": {"$numberDouble": f"{front}.0"}, "frame_height": 42, "lens_height": 38},
            },
            "media": {"images": [{"url": f"https://img.example/{sku}-{view}.jpg", "alt_text": f"{name}, {view} view", "type": kind_, "order": order, "dimensions": {"width": 1600, "height": 800}} for order, (view, kind_) in enumerate((("front", "primary"), ("side", "angle"), ("detail", "detail")))] if style % 2 else []},
            "seo": {"meta_title": name, "meta_description": text[:120], "keywords": [shape, kind, BRANDS[brand]], "slug": slug_of(name)},
            "attributes": {"gender": rng.choice(GENDERS[gender]), "age_group": "adult", "style_category": "classic", "season": ["all"], "occasion": ["everyday"], "features": ["spring hinges"], "prescription_compatible": True, "reading_glasses": kind == "reading", "computer_glasses": kind == "blue-light"},
            "quality": {"data_quality_score": round(rng.uniform(0.5, 1.0), 2), "completeness_score": 0.9, "quality_issues": []},
            "analytics": {"views": {"$numberLong": str(rng.randrange(9000))}, "clicks": rng.randrange(900), "conversions": rng.randrange(90), "rating": {"average": round(rng.uniform(3, 5), 1), "count": rng.randrange(1, 200)}, "popularity_score": round(rng.random(), 3)},
            "integration": {"source_system": "erp", "external_ids": {"shopify_id": str(7_000_000 + number)}, "sync_status": "done", "sync_errors": []},
            "metadata": {"created_at": date(days), "updated_at": date(days + 30), "created_by": "import", "version": 2, "status": "active", "tags": ["autumn", kind], "internal_notes": "confidential-note"},
        }
        if fits:
            document["face_shape_compatibility"] = {face: {"score": score, "confidence": 0.8, "reasons": ["The outline suits the proportions"]} for face, score in fits.items()}
        return document

    def flat(self, rng, number, name, brand, category, shape, kind, gender, material, cents, before, quantity, text, days, lens, bridge, temple, front, fits, sku):
        style = number // 3
        identity = [{"$oid": object_id(1, number)}, object_id(1, number), {"$binary": {"base64": base64.b64encode(number.to_bytes(16, "big")).decode(), "subType": "04"}}][style % 3]
        brand_id, category_id = object_id(2, brand), object_id(3, self.category_number[category])
        document = {
            "_id": identity,
            "sku": sku,
            "name": name,
            "description": text + " " + " ".join(reversed(SENTENCES)) + " " + " ".join(SENTENCES[::2]),
            "brand_id": brand_id if style % 2 else {"$oid": brand_id},
            "category_id": {"$oid": category_id} if style % 2 else category_id,
            "price": amount(cents, style),
            "currency": self.currency,
            "is_active": True,
            "availability_status": "out_of_stock" if quantity == 0 else "low_stock" if quantity < 4 else "in_stock",
            "materials": [rng.choice(MATERIALS[material])],
            "colors": rng.sample(COLORS, 2),
            "sort_order": number,
            "view_count": {"$numberLong": str(rng.randrange(9000))},
            "created_at": date(days),
            "updated_at": date(days + 30),
        }
        if before:
            document["original_price"] = amount(before, style)
        if fits:
            document["face_shape_scores"] = fits
            document["recommended_face_shapes"] = [face for face, score in fits.items() if score > 0.8]
        return document

    def foundation(self, rng, number, name, brand, category, shape, kind, gender, material, cents, before, quantity, text, days, lens, bridge, temple, front, fits, sku):
        style = number // 3
        identity = [{"$oid": object_id(1, number)}, number, f"foundation-{number}"][style % 3]
        document = {
            "_id": identity,
            "sku": sku,
            "product_id": f"P{number:08d}",
            "name": name,
            "description": text + " " + " ".join(SENTENCES),
            "ai_description": text,
            "ai_tags": ["autumn", kind],
            "brand_id": {"$oid": object_id(2, brand)},
            "brand_name": BRANDS[brand],
            "category_id": object_id(3, self.category_number[category]),
            "category_name": self.categories[self.category_number[category]][1],
            "frame_type": rng.choice(TYPES[kind]),
            "frame_shape": rng.choice(SHAPES[shape]),
            "frame_material": rng.choice(MATERIALS[material]),
            "lens_type": "single vision",
            "measurements" if style % 2 else "frame_size": {"lens_width": lens, "bridge_width": str(bridge) if style % 3 else bridge, "temple_length": temple, "frame_width": front, "frame_height": 42, "weight": {"$numberDecimal": "21.5"}},
            "color": rng.choice(COLORS),
            "color_variants": rng.sample(COLORS, 3),
            "style": "classic",
            "gender_target": rng.choice(GENDERS[gender]),
            "price": amount(cents, style),
            "currency": self.currency,
            "inventory_quantity": quantity,
            "in_stock": quantity > 0,
            "low_stock_threshold": 3,
            "quality_score": round(rng.uniform(0.5, 1.0), 2),
            "rating": round(rng.uniform(3, 5), 1),
            "media": {"primary_image": f"https://img.example/{sku}.jpg", "gallery_images": [f"https://img.example/{sku}-{n}.jpg" for n in range(2)]} if style % 2 else {},
            "seo": {"title": name, "description": text[:120], "keywords": [shape, kind], "slug": slug_of(name)},
            "active": True,
            "featured": number % 50 == 2,
            "sort_order": number,
            "source": "export",
            "created_at": date(days),
            "updated_at": date(days + 30),
        }
        if before:
            document["compare_at_price"] = amount(before, style)
        if fits:
            document["face_shape_compatibility"] = fits
        return document

    def brands(self):
        for number, name in enumerate(BRANDS):
            yield {"_id": {"$oid": object_id(2, number)}, "name": name, "slug": slug_of(name), "description": f"{name} makes frames.", "active": True, "featured": number < 6, "sort_order": number}

    def category_documents(self):
        for number, (key, name, parent) in enumerate(self.categories):
            yield {
                "_id": {"$oid": object_id(3, number)}, "name": name, "slug": slug_of(name), "description": f"{name}, chosen with care.",
                "parent_id": None if parent is None else {"$oid": object_id(3, self.category_number[parent])}, "active": True, "visible_in_nav": True, "sort_order": number,
            }

    def rules(self):
        for number, face in enumerate(FACES + ["triangle"]):
            yield {
                "_id": {"$oid": object_id(4, number)}, "face_shape": face, "characteristics": {},
                "compatible_frame_shapes": [{"frame_shape": spellings[0], "compatibility_score": round(0.3 + ((number * 3 + place * 5) % 7) / 10, 2), "reasons": ["Contrast balances the proportions"], "styling_tips": ["Mind the width"]} for place, spellings in enumerate(SHAPES.values())],
                "recommended_measurements": {"frame_width": {"min": 130, "max": 146, "ideal": 138}}, "model_info": {"model_version": "1", "confidence_threshold": 0.6},
            }

    def events(self):
        rng = random.Random(5)
        for number in range(self.count // 5):
            product = rng.randrange(self.count) // 3 * 3 + 1
            if product < self.count:
                yield {"_id": {"$oid": object_id(5, number)}, "event_type": rng.choice(["view", "view", "click", "purchase"]), "product_id": {"$oid": object_id(1, product)}, "timestamp": date(number % 900)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--currency", default="EUR")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(options.count, options.currency)
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def write(name, documents):
        with open(options.folder / name, "w", encoding="utf-8") as file:
            file.writelines(encode(document) + "\n" for document in documents)

    with open(options.folder / "products.jsonl", "w", encoding="utf-8") as products, open(options.folder / "truth.jsonl", "w", encoding="utf-8") as truths:
        for number in range(options.count):
            document, truth = catalog.product(number)
            products.write(encode(document) + "\n")
            truths.write(encode(truth) + "\n")
    write("brands.jsonl", catalog.brands())
    write("categories.jsonl", catalog.category_documents())
    write("face_shape_compatibility.jsonl", catalog.rules())
    write("user_analytics.jsonl", catalog.events())


if __name__ == "__main__":
    main()
