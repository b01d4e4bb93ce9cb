#include <fmt/format.h>

#include "cmd/commands.hpp"
#include "cmd/output.hpp"
#include "cmd/progress.hpp"
#include "core/fault.hpp"
#include "core/hex.hpp"
#include "db/tools/image.hpp"

namespace keel::cmd {
namespace {

using db::tools::ImageItem;
using db::tools::ImagePage;
using db::tools::ImageReport;
using db::tools::ImageTable;

std::string hex(core::ByteView bytes) {
    return core::to_hex_prefixed(bytes);
}

void write_json(Output& output, const ImageReport& report) {
    JsonWriter json;
    json.begin_object();
    json.field("sound", report.sound());
    json.field("path", report.path);
    json.field("bytes", report.bytes);
    json.field("pages", report.pages);
    json.field("viewId", report.commit_id);
    json.field("time", report.time_s);
    json.field("uid", report.uid);
    json.field("producer", report.producer);
    json.field("hasLog", report.has_log);
    json.field("digest", fmt::format("{:016x}", report.digest));
    json.field("catalogueRoot", report.catalogue_root);
    json.field("leaves", report.leaves);
    json.field("branches", report.branches);
    json.field("runs", report.runs);
    json.field("runPages", report.run_pages);
    json.objects("tables", report.tables, [&](const ImageTable& table) {
        table_fields(json, table.name, table.stat);
        json.field("root", table.root);
        json.field("freeBytes", table.free_bytes);
    });
    json.field("issuesFound", report.issues_found);
    json.objects("issues", report.issues, [&](const db::tools::ImageIssue& issue) {
        json.field("offset", issue.offset);
        json.field("what", issue.what);
    });
    json.end_object();
    output.line(json.text());
}

void write_text(Output& output, const ImageReport& report) {
    output.line(
        fmt::format("image {}\nview id {}\nuid {}\nproducer {}\ntime {}\nlog {}\n"
                    "digest {:016x}",
                    report.path, report.commit_id, report.uid, report.producer, report.time_s,
                    report.has_log ? "follows" : "none", report.digest));
    output.line(fmt::format("bytes {} pages {}: header 2 leaves {} branches {} in {} runs {}",
                            report.bytes, report.pages, report.leaves, report.branches, report.runs,
                            report.run_pages));
    output.line(fmt::format("catalogue at page {}", report.catalogue_root));
    for (const ImageTable& table : report.tables)
        output.line(fmt::format("{} at page {} free bytes {}", table_text(table.name, table.stat),
                                table.root, table.free_bytes));
    for (const db::tools::ImageIssue& issue : report.issues)
        output.line(fmt::format("offset {}: {}", issue.offset, issue.what));
    if (report.issues_found > report.issues.size())
        output.line(fmt::format("and {} more", report.issues_found - report.issues.size()));
    output.line(report.sound() ? "sound" : "damaged");
}

int show_page(const Options& options, core::FileSystem& files, const std::filesystem::path& path) {
    const ImagePage page = db::tools::read_image_page(files, path, *options.page);
    const bool leaf = page.type == "leaf";
    Output output;
    JsonWriter json;
    json.begin_object();
    json.field("page", page.number);
    json.field("type", page.type);
    json.field("level", page.level);
    json.field("checksum", fmt::format("{:016x}", page.checksum));
    json.field("checksumRight", page.checksum_right);
    json.field("freeBytes", page.free_bytes);
    json.field("runPages", page.run_pages);
    json.field("valueBytes", page.value_bytes);
    json.field("prefix", hex(page.prefix));
    json.begin_array("items");
    if (!options.json)
        output.line(fmt::format("page {} {} level {} checksum {:016x} {} free bytes {} prefix {}",
                                page.number, page.type, page.level, page.checksum,
                                page.checksum_right ? "right" : "WRONG", page.free_bytes,
                                hex(page.prefix)));
    if (!options.json && page.type == "run")
        output.line(fmt::format("value of {} bytes in {} pages", page.value_bytes, page.run_pages));
    for (const ImageItem& item : page.items) {
        if (options.json) {
            json.begin_object();
            json.field("key", hex(item.key));
            json.field("value", hex(item.value));
            json.field("page", item.page);
            json.field(leaf ? "valueBytes" : "entries", item.count);
            json.end_object();
        } else if (!leaf) {
            output.line(fmt::format("{} {} page {} entries {}", hex(item.key), hex(item.value),
                                    item.page, item.count));
        } else if (item.page != 0) {
            output.line(
                fmt::format("{} run at page {} bytes {}", hex(item.key), item.page, item.count));
        } else {
            output.line(fmt::format("{} {}", hex(item.key), hex(item.value)));
        }
    }
    json.end_array();
    json.end_object();
    if (options.json) output.line(json.text());
    output.finish();
    return page.checksum_right ? 0 : static_cast<int>(core::FaultKind::Damaged);
}

}  // namespace

int run_db_image(const Options& options) {
    core::SystemFiles files;
    const std::filesystem::path path =
        options.file.empty() ? options.datadir / "store.img" : std::filesystem::path(options.file);
    if (!core::file_info(files, path))
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("{}: there is no such image", path.string()));
    if (options.page) return show_page(options, files, path);
    ProgressBar progress(options, "pages");
    const ImageReport report = db::tools::inspect_image(files, path, progress.watcher());
    Output output;
    options.json ? write_json(output, report) : write_text(output, report);
    output.finish();
    return report.sound() ? 0 : static_cast<int>(core::FaultKind::Damaged);
}

}  // namespace keel::cmd
