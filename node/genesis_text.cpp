#include "node/genesis_text.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <vector>

#include "core/fault.hpp"

namespace keel::node {
namespace {

constexpr uint64_t kGenesisBytesMax = uint64_t{4} << 30;
constexpr const char* kStandardInputName = "-";

/// Where the value of a member stands in the text.
struct Place {
    size_t begin;
    size_t end;
};

/// Places of all values of `key` in the outermost object; none: not a JSON object.
std::optional<std::vector<Place>> find_members(std::string_view document, std::string_view key) {
    namespace ondemand = simdjson::ondemand;
    const simdjson::padded_string text(document);
    ondemand::parser parser;
    ondemand::document parsed;
    ondemand::object object;
    if (parser.iterate(text).get(parsed) != simdjson::SUCCESS) return std::nullopt;
    if (parsed.get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    std::vector<Place> places;
    for (auto member : object) {
        std::string_view name;
        std::string_view value;
        if (member.unescaped_key().get(name) != simdjson::SUCCESS) return std::nullopt;
        const bool wanted = name == key;
        if (simdjson::to_json_string(member.value()).get(value) != simdjson::SUCCESS)
            return std::nullopt;
        if (!wanted) continue;
        const auto begin = static_cast<size_t>(value.data() - text.data());
        places.push_back({begin, begin + value.size()});
    }
    // Something behind the object.
    if (parsed.current_location().error() != simdjson::OUT_OF_BOUNDS) return std::nullopt;
    return places;
}

/// As core::read_file, into text and with room behind it for a parser that reads ahead.
std::string read_text(core::FileSystem& files, const std::string& name) {
    constexpr size_t kStepBytes = size_t{64} * 1024;
    const core::File file(files, name, core::OpenMode::Read);
    // The size is a hint only: pipes have none.
    size_t room =
        static_cast<size_t>(std::min<uint64_t>(file.info().size_bytes, kGenesisBytesMax)) + 1;
    std::string text;
    for (size_t done = 0;; room += kStepBytes) {
        text.reserve(room + simdjson::SIMDJSON_PADDING);
        std::exception_ptr failed;
        text.resize_and_overwrite(room, [&](char* to, size_t) noexcept {
            try {
                done += file.read_at(to + done, room - done, done);
            } catch (...) {
                failed = std::current_exception();
            }
            return done;
        });
        if (failed) std::rethrow_exception(failed);
        if (done > kGenesisBytesMax) throw core::FileFault(name, "read", EFBIG);
        if (done < room) return text;
    }
}

}  // namespace

std::string read_genesis_text(core::FileSystem& files, const std::string& name) {
    try {
        if (name != kStandardInputName) return read_text(files, name);
        constexpr size_t kStepBytes = size_t{64} * 1024;
        const core::WakeUp never;
        std::string text;
        for (;;) {
            const size_t done = text.size();
            text.resize(done + kStepBytes);
            const size_t got = core::read_stream(core::kStandardInput, "stdin", text.data() + done,
                                                 kStepBytes, never)
                                   .value_or(0);
            text.resize(done + got);
            if (got == 0) return text;
        }
    } catch (const core::FileFault& fault) {
        throw core::Fault(core::FaultKind::Usage,
                          fmt::format("failed to read genesis file {}: {}", fault.file().string(),
                                      std::generic_category().message(fault.error_number())));
    }
}

std::optional<std::string> with_member(std::string_view document, std::string_view key,
                                       std::string_view value) {
    const auto places = find_members(document, key);
    if (!places) return std::nullopt;
    std::string changed;
    changed.reserve(document.size() + key.size() + value.size() + 8);
    size_t done = 0;
    for (const Place& place : *places) {
        changed += document.substr(done, place.begin - done);
        changed += value;
        done = place.end;
    }
    if (places->empty()) {
        const size_t brace = document.find('{') + 1;
        const size_t next = document.find_first_not_of(" \t\r\n", brace);
        changed += document.substr(0, brace);
        changed += fmt::format("\"{}\":{}{}", key, value, document[next] == '}' ? "" : ",");
        done = brace;
    }
    changed += document.substr(done);
    return changed;
}

std::optional<std::string> member_text(std::string_view document, std::string_view key) {
    const auto places = find_members(document, key);
    if (!places || places->empty()) return std::nullopt;
    return std::string(
        document.substr(places->back().begin, places->back().end - places->back().begin));
}

}  // namespace keel::node
