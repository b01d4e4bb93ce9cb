#include "db/tools/picture.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keel::db::tools {
namespace {

constexpr const char* kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>keel db stats</title><style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #1c2733; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #dde3ea }
th:first-child, td:first-child { text-align: left }
.bar { background: #e8edf3; min-width: 12rem } .bar i { display: block; height: .9rem; background: #2f6fb2 }
.pieces { display: flex; height: 1.6rem; background: #e8edf3 } .pieces i { display: block; min-width: 1px }
.legend span { display: inline-block; margin-right: 1.5rem }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem }
@media (prefers-color-scheme: dark) { body { color: #d7dee6; background: #14191f }
  th, td { border-color: #2c3540 } .bar, .pieces { background: #232b34 } }
</style></head><body>
)";

std::string escaped(std::string_view text) {
    std::string to;
    for (const char letter : text) {
        switch (letter) {
            case '<':
                to += "&lt;";
                break;
            case '>':
                to += "&gt;";
                break;
            case '&':
                to += "&amp;";
                break;
            case '"':
                to += "&quot;";
                break;
            default:
                to += letter;
        }
    }
    return to;
}

std::string bytes_text(uint64_t bytes) {
    constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    auto value = static_cast<double>(bytes);
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
    return unit == 0 ? fmt::format("{} bytes", bytes)
                     : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

double share(uint64_t part, uint64_t whole) {
    return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

std::string to_html(const StoreReport& report) {
    const Stats& store = report.store;
    std::string page = kHead;
    page += fmt::format("<h1>{}</h1>\n<p>backend {} · mode {} · commit {} · uid {}</p>\n",
                        escaped(store.path), escaped(store.backend), escaped(store.mode),
                        store.view_id, escaped(store.uid));

    struct Piece {
        const char* name;
        uint64_t bytes;
        const char* colour;
    };
    const Piece pieces[] = {{"image", store.image_bytes, "#2f6fb2"},
                            {"log", store.log_bytes, "#d98324"},
                            {"in memory", store.anonymous_bytes, "#4f9d69"},
                            {"of that free", store.free_bytes, "#a9c7b3"},
                            {"kept for readers", store.pinned_bytes, "#b5485d"}};
    uint64_t all = 0;
    for (const Piece& piece : pieces) all += piece.bytes;
    page += "<h2>What lies where</h2>\n<div class=\"pieces\">";
    for (const Piece& piece : pieces)
        if (piece.bytes > 0)
            page += fmt::format("<i style=\"width:{:.2f}%;background:{}\" title=\"{}: {}\"></i>",
                                share(piece.bytes, all), piece.colour, piece.name,
                                bytes_text(piece.bytes));
    page += "</div>\n<p class=\"legend\">";
    for (const Piece& piece : pieces)
        page += fmt::format("<span><i style=\"background:{}\"></i>{}: {}</span>", piece.colour,
                            piece.name, bytes_text(piece.bytes));
    page += "</p>\n";

    std::vector<NamedTableStat> tables = report.tables;
    std::ranges::sort(tables, [](const NamedTableStat& a, const NamedTableStat& b) {
        return a.stat.bytes != b.stat.bytes ? a.stat.bytes > b.stat.bytes : a.name < b.name;
    });
    const uint64_t largest = tables.empty() ? 0 : tables.front().stat.bytes;
    page +=
        "<h2>Tables</h2>\n<table>\n<tr><th>table</th><th>size</th><th></th><th>entries</th>"
        "<th>bytes an entry</th><th>depth</th><th>entries a leaf</th><th>pages</th></tr>\n";
    for (const auto& [name, stat] : tables) {
        const auto average = [](uint64_t of, uint64_t over) {
            return over == 0
                       ? std::string("–")
                       : fmt::format("{:.1f}", static_cast<double>(of) / static_cast<double>(over));
        };
        page += fmt::format(
            "<tr><td>{}{}</td><td>{}</td><td class=\"bar\"><i style=\"width:{:.1f}%\"></i></td>"
            "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} + {} + {}</td></tr>\n",
            escaped(name), stat.kind == Kind::DupSort ? " (DupSort)" : "", bytes_text(stat.bytes),
            share(stat.bytes, largest), stat.entries, average(stat.bytes, stat.entries), stat.depth,
            average(stat.entries, stat.leaf_pages), stat.branch_pages, stat.leaf_pages,
            stat.overflow_pages);
    }
    page += "</table>\n<p>Pages: branches + leaves + those of large values.</p>\n";

    page += fmt::format("<h2>Readers</h2>\n<p>{} open, at most {} so far; oldest commit read: {}",
                        store.readers, store.readers_peak, store.oldest_view_id);
    page += "</p>\n";
    if (!store.long_readers.empty()) {
        page += "<table>\n<tr><th>thread</th><th>commit</th><th>age</th><th>keeps</th></tr>\n";
        for (const LongReader& reader : store.long_readers)
            page += fmt::format("<tr><td>{}</td><td>{}</td><td>{:.1f} s</td><td>{}</td></tr>\n",
                                reader.thread_id, reader.view_id,
                                static_cast<double>(reader.age_ms) / 1000,
                                bytes_text(reader.bytes_pinned));
        page += "</table>\n";
    }
    page += "</body></html>\n";
    return page;
}

}  // namespace keel::db::tools
