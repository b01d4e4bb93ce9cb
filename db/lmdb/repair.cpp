#include "db/lmdb/repair.hpp"

#include <fmt/format.h>

#include "db/lmdb/file_check.hpp"

namespace keel::db::lmdb {

tools::RepairReport repair(core::FileSystem& files, const std::filesystem::path& directory,
                           bool change) {
    const std::filesystem::path path = directory / "data.mdb";
    tools::RepairReport report;
    const HeaderPages pages = read_header_pages(files, path);
    report.commit_id = pages.newest_commit();
    for (size_t page = 0; page < pages.damage.size(); ++page) {
        if (pages.damage[page].empty()) continue;
        report.found.push_back(
            fmt::format("{}: back to commit {}", pages.damage[page], report.commit_id));
        if (!change) continue;
        core::File file(files, path, core::OpenMode::ReadWrite, false);
        const std::filesystem::path kept = tools::damaged_name(files, path);
        core::Bytes content(pages.page_bytes);
        file.read_at(content.data(), content.size(), page * pages.page_bytes);
        core::write_file_atomically(files, kept, content);
        report.kept.push_back(kept.string());
        file.write_at(pages.whole_page(page), page * pages.page_bytes);
        file.sync();
    }
    if (change || report.found.empty()) check_data_file(files, path);
    return report;
}

}  // namespace keel::db::lmdb
