#include "node/lock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>
#include <thread>
#include <utility>

#include "core/clock.hpp"
#include "node/datadir.hpp"

namespace keel::node {
namespace {

constexpr size_t kLockBytesMax = 4096;
constexpr size_t kCommandBytesMax = 1024;
// A holder writes who it is right after it got the lock; a loser waits that long for it.
constexpr int kHolderTries = 50;
constexpr auto kHolderPause = std::chrono::milliseconds(1);

struct Holder {
    uint64_t pid = 0;
    std::string since;
    std::string command;
};

std::string field(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(name)) return std::string(line.substr(name.size()));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

// Complete only with its last line.
std::optional<Holder> read_holder(const core::File& file) {
    std::string text(kLockBytesMax, '\0');
    text.resize(file.read_at(text.data(), text.size(), 0));
    if (!text.ends_with("\nend\n")) return std::nullopt;
    Holder holder;
    const std::string pid = field(text, "pid=");
    std::from_chars(pid.data(), pid.data() + pid.size(), holder.pid);
    holder.since = field(text, "since=");
    holder.command = field(text, "command=");
    return holder;
}

std::string now_text() {
    const auto seconds = static_cast<std::time_t>(core::wall_clock_s());
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

std::string in_use_text(const std::filesystem::path& directory, uint64_t pid,
                        const std::string& command, const std::string& since) {
    const std::string what = fmt::format("data directory {} is in use by ", directory.string());
    if (pid == 0) return what + "another process";
    return what + fmt::format("pid {} ({}, since {})", pid, command, since);
}

}  // namespace

InUse::InUse(const std::filesystem::path& directory, uint64_t pid, std::string command,
             std::string since)
    : db::Error(db::ErrorCode::InUse, in_use_text(directory, pid, command, since)),
      pid_(pid),
      command_(std::move(command)),
      since_(std::move(since)) {}

std::string command_line(core::FileSystem& files) {
    const core::File file(files, "/proc/self/cmdline", core::OpenMode::Read);
    std::string text(kCommandBytesMax, '\0');
    text.resize(file.read_at(text.data(), text.size(), 0));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return text;
}

DirectoryLock::DirectoryLock(core::FileSystem& files, const std::filesystem::path& directory,
                             std::string command) {
    const std::filesystem::path path = directory / kLockName;
    for (int tries = 0;;) {
        const bool was_there = core::file_info(files, path).has_value();
        core::File file(files, path, core::OpenMode::Create, false);
        if (!file.try_lock()) {
            if (const auto holder = read_holder(file); holder || ++tries == kHolderTries)
                throw holder ? InUse(directory, holder->pid, holder->command, holder->since)
                             : InUse(directory, 0, "", "");
            std::this_thread::sleep_for(kHolderPause);
            continue;
        }
        // A failed open of another process may have removed the file between our open and lock.
        const auto linked = core::file_info(files, path);
        const core::FileInfo ours = file.info();
        if (!linked || linked->inode != ours.inode || linked->device != ours.device) continue;
        file_ = std::move(file);
        created_ = !was_there;
        break;
    }
    if (command.empty()) command = command_line(files);
    std::ranges::replace(command, '\n', ' ');
    command.resize(std::min(command.size(), kCommandBytesMax));
    const std::string text =
        fmt::format("pid={}\nsince={}\ncommand={}\nend\n", ::getpid(), now_text(), command);
    file_.truncate(0);
    file_.write_at(core::ByteView(text), 0);
}

void DirectoryLock::release() noexcept {
    file_.close();
}

void DirectoryLock::release_as_it_was(core::FileSystem& files) noexcept {
    if (!held()) return;
    // Still locked: nobody else can have made the file theirs.
    if (created_) files.unlink(file_.path());
    file_.close();
}

}  // namespace keel::node
