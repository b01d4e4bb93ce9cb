#include "cmd/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/fault.hpp"

namespace keel::cmd {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 16;

[[noreturn]] void fail_write(int error_number) {
    if (error_number == EPIPE) throw OutputClosed();
    throw core::Fault(core::FaultKind::Io,
                      "stdout: write: " + std::generic_category().message(error_number));
}

}  // namespace

void Output::write(std::string_view text) {
    pending_ += text;
    if (pending_.size() < kPieceBytes) return;
    if (std::fwrite(pending_.data(), 1, pending_.size(), stdout) != pending_.size())
        fail_write(errno);
    pending_.clear();
}

void Output::finish() {
    const bool written =
        std::fwrite(pending_.data(), 1, pending_.size(), stdout) == pending_.size();
    if (!written || std::fflush(stdout) != 0) fail_write(errno);
    pending_.clear();
}

void JsonWriter::quote(std::string_view value) {
    text_ += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            text_ += '\\';
            text_ += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            text_ += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            text_ += c;
        }
    }
    text_ += '"';
}

void JsonWriter::key(std::string_view name) {
    if (!first_) text_ += ',';
    first_ = false;
    if (name.empty()) return;
    quote(name);
    text_ += ':';
}

void JsonWriter::field(std::string_view name, std::string_view value) {
    key(name);
    quote(value);
}

void JsonWriter::begin(std::string_view name, char open) {
    key(name);
    text_ += open;
    first_ = true;
}

void JsonWriter::end(char close) {
    text_ += close;
    first_ = false;
}

void say(std::string_view text) noexcept {
    std::fprintf(stderr, "keel: %.*s\n", static_cast<int>(text.size()), text.data());
}

void StderrObserver::note(std::string_view event, std::string_view details) {
    if (!quiet_) say(fmt::format("{}: {}", event, details));
}

const char* kind_name(db::Kind kind) noexcept {
    return kind == db::Kind::DupSort ? "dupsort" : "plain";
}

void table_fields(JsonWriter& json, std::string_view name, const db::TableStat& stat) {
    json.field("name", name);
    json.field("kind", kind_name(stat.kind));
    json.field("entries", stat.entries);
    json.field("keys", stat.keys);
    json.field("depth", stat.depth);
    json.field("branchPages", stat.branch_pages);
    json.field("leafPages", stat.leaf_pages);
    json.field("overflowPages", stat.overflow_pages);
    json.field("sequence", stat.sequence);
}

std::string table_text(std::string_view name, const db::TableStat& stat) {
    return fmt::format("table {} {} entries {} keys {} depth {} pages {}+{}+{} sequence {}", name,
                       kind_name(stat.kind), stat.entries, stat.keys, stat.depth, stat.branch_pages,
                       stat.leaf_pages, stat.overflow_pages, stat.sequence);
}

}  // namespace keel::cmd
