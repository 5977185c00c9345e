//! The themes that are part of the program, as files by their names in a theme's folder.

/// A theme that is part of the program. What it does not bring is taken from [`DEFAULT`].
pub(super) struct Embedded {
    pub(super) name: &'static str,
    pub(super) files: &'static [(&'static str, &'static [u8])],
}

/// The theme that all others build on.
pub(crate) const DEFAULT: &str = "modern-minimal";

macro_rules! files {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../", $folder, "/", $name)) as &[u8])),*]
    };
}

/// Templates and scripts, by their names in `templates/`.
pub(super) const TEMPLATES: &[(&str, &[u8])] = files!["templates":
    "outer.hbs",
    "pages/home.hbs",
    "pages/listing.hbs",
    "pages/index.hbs",
    "pages/product.hbs",
    "pages/face_shapes.hbs",
    "pages/about.hbs",
    "pages/contact.hbs",
    "pages/text.hbs",
    "pages/blog.hbs",
    "pages/locations.hbs",
    "pages/search.hbs",
    "pages/favourites.hbs",
    "pages/compare.hbs",
    "pages/cart.hbs",
    "pages/not_found.hbs",
    "pages/offline.hbs",
    "pages/moved.hbs",
    "fragments/header.hbs",
    "fragments/footer.hbs",
    "fragments/card.hbs",
    "fragments/filters.hbs",
    "fragments/sorting.hbs",
    "fragments/fact.hbs",
    "fragments/fit.hbs",
    "fragments/header/name.hbs",
    "fragments/header/menu.hbs",
    "fragments/header/search.hbs",
    "fragments/header/tools.hbs",
    "fragments/footer/columns.hbs",
    "fragments/home/hero.hbs",
    "fragments/home/featured.hbs",
    "fragments/home/faces.hbs",
    "fragments/home/shapes.hbs",
    "fragments/home/categories.hbs",
    "fragments/home/brands.hbs",
    "fragments/home/size.hbs",
    "scripts/store.js",
    "scripts/model.js",
    "scripts/memory.js",
    "scripts/cards.js",
    "scripts/catalog.js",
    "scripts/narrowing.js",
    "scripts/words.js",
    "scripts/search.js",
    "scripts/search_box.js",
    "scripts/listing.js",
    "scripts/finder.js",
    "scripts/face_shape.js",
    "scripts/face_mark.js",
    "scripts/product.js",
    "scripts/gallery.js",
    "scripts/fitting.js",
    "scripts/product_pages.js",
    "scripts/share.js",
    "scripts/bag.js",
    "scripts/favourites.js",
    "scripts/compare.js",
    "scripts/cart.js",
    "service_worker.js",
];

/// Every theme of the program, [`DEFAULT`] first.
pub(super) const THEMES: &[Embedded] = &[
    Embedded {
        name: DEFAULT,
        files: files!["themes/modern-minimal":
            "theme.yaml",
            "assets/base.css",
            "assets/layout.css",
            "assets/products.css",
            "assets/pages.css",
            "assets/guides.css",
            "assets/shopping.css",
        ],
    },
    Embedded {
        name: "eyewear-focused",
        files: files!["themes/eyewear-focused":
            "theme.yaml",
            "assets/look.css",
            "assets/archivo-black.woff2",
            "templates/fragments/header.hbs",
            "templates/fragments/footer.hbs",
            "templates/pages/home.hbs",
        ],
    },
    Embedded {
        name: "classic-optician",
        files: files!["themes/classic-optician":
            "theme.yaml",
            "assets/look.css",
            "assets/eb-garamond.woff2",
            "templates/fragments/header.hbs",
            "templates/fragments/footer.hbs",
            "templates/pages/home.hbs",
        ],
    },
];
