#include "db/bulk_runs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace keel::db {
namespace {

// Read at a time of each run.
constexpr size_t kReadBytes = size_t{256} << 10;

constexpr std::string_view kNameBegin = "bulk-";
constexpr std::string_view kNameEnd = ".tmp";

core::File open_nameless(core::FileSystem& files, const std::filesystem::path& directory) {
    for (int number = 0;; ++number) {
        const std::filesystem::path path =
            directory / fmt::format("{}{}-{}{}", kNameBegin, ::getpid(), number, kNameEnd);
        try {
            core::File file(files, path, core::OpenMode::CreateNew, false);
            core::remove_file(files, path);
            return file;
        } catch (const core::FileFault& fault) {
            if (fault.error_number() != EEXIST) throw;
        }
    }
}

}  // namespace

void remove_left_runs(core::FileSystem& files, const std::filesystem::path& directory) noexcept {
    std::vector<std::string> names;
    if (files.list(directory, names) != 0) return;
    for (const std::string& name : names)
        if (is_left_run(name)) files.unlink(directory / name);
}

bool is_left_run(std::string_view name) noexcept {
    return name.starts_with(kNameBegin) && name.ends_with(kNameEnd);
}

RunFile::RunFile(core::FileSystem& files, const std::filesystem::path& directory)
    : file_(open_nameless(files, directory)), out_(file_, 0) {}

MergedRuns::MergedRuns(const RunFile& file, Kind kind) : file_(file), kind_(kind) {
    uint64_t from = 0;
    for (const uint64_t end : file.ends_) {
        Run& run = runs_.emplace_back();
        run.offset = from;
        run.end = end;
        from = end;
    }
    for (size_t run = 0; run < runs_.size(); ++run)
        if (fill(runs_[run])) heap_.push_back(run);
    std::ranges::make_heap(heap_, [this](size_t a, size_t b) { return behind(a, b); });
}

/// Equal entries in the order in which they came.
bool MergedRuns::behind(size_t a, size_t b) const noexcept {
    const auto order = bulk_order(entry(a), entry(b), kind_);
    return order != 0 ? order > 0 : a > b;
}

/// Has so many bytes from the current entry on in the buffer. False: the run has fewer.
bool MergedRuns::load(Run& run, size_t bytes) {
    const size_t left = run.buffer.size() - run.at;
    if (left >= bytes) return true;
    const uint64_t in_file = run.end - run.offset;
    if (left + in_file < bytes) return false;
    if (left > 0) std::memmove(run.buffer.data(), run.buffer.data() + run.at, left);
    run.at = 0;
    const auto more =
        static_cast<size_t>(std::min<uint64_t>(std::max(kReadBytes, bytes) - left, in_file));
    run.buffer.resize(left + more);
    if (file_.file_.read_at(run.buffer.data() + left, more, run.offset) != more)
        throw core::FileFault(file_.file_.path(), "read", EIO);
    run.offset += more;
    return true;
}

/// Is there a current entry?
bool MergedRuns::fill(Run& run) {
    return load(run, kBulkHeadBytes) && load(run, bulk_bytes(run.buffer.data() + run.at));
}

/// The first of the heap has been dealt with.
void MergedRuns::step(size_t run) {
    const auto order = [this](size_t a, size_t b) { return behind(a, b); };
    std::ranges::pop_heap(heap_, order);
    runs_[run].at += bulk_bytes(entry(run));
    if (fill(runs_[run])) {
        std::ranges::push_heap(heap_, order);
    } else {
        heap_.pop_back();
    }
}

const uint8_t* MergedRuns::next() {
    passed_over_.clear();
    if (begun_) step(heap_[0]);
    while (!heap_.empty()) {
        const size_t first = heap_[0];
        // The second smallest is one of the two below the top.
        bool equal = false;
        for (size_t child = 1; child <= 2 && child < heap_.size(); ++child)
            equal = equal || bulk_order(entry(first), entry(heap_[child]), kind_) == 0;
        if (!equal) {
            begun_ = true;
            return entry(first);
        }
        passed_over_.push_back(bulk_record(entry(first)));
        step(first);
    }
    begun_ = false;
    return nullptr;
}

}  // namespace keel::db
