#include "node/logging.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <utility>

namespace keel::node {
namespace {

using namespace std::string_view_literals;

constexpr std::array kNames = {"error"sv, "warn"sv, "info"sv, "debug"sv, "trace"sv};
constexpr std::string_view kClearLine = "\r\x1b[K";
// Beyond it a decimal number is no longer exact for readers that take numbers as doubles.
constexpr size_t kExactDigits = 15;

spdlog::level::level_enum to_spdlog(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::Error:
            return spdlog::level::err;
        case LogLevel::Warn:
            return spdlog::level::warn;
        case LogLevel::Info:
            return spdlog::level::info;
        case LogLevel::Debug:
            return spdlog::level::debug;
        case LogLevel::Trace:
            return spdlog::level::trace;
    }
    return spdlog::level::info;
}

std::string_view name_of(spdlog::level::level_enum level) noexcept {
    switch (level) {
        case spdlog::level::trace:
            return "trace";
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::info:
            return "info";
        case spdlog::level::warn:
            return "warn";
        default:
            return "error";
    }
}

void append_json_string(std::string& to, std::string_view value) {
    to += '"';
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            fmt::format_to(std::back_inserter(to), "\\u{:04x}",
                           static_cast<unsigned>(static_cast<unsigned char>(c)));
        } else {
            to += c;
        }
    }
    to += '"';
}

bool is_key_character(char c) noexcept {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}

/// Length of `key=` at the start of `text`; 0: there is none.
size_t key_length(std::string_view text) noexcept {
    size_t at = 0;
    while (at < text.size() && is_key_character(text[at])) ++at;
    return at > 0 && at < text.size() && text[at] == '=' ? at + 1 : 0;
}

/// Takes a value, quoted or up to the next blank, off the front of `text`.
std::string take_value(std::string_view& text) {
    std::string value;
    size_t at = 0;
    if (!text.empty() && text[0] == '"') {
        for (at = 1; at < text.size() && text[at] != '"'; ++at) {
            if (text[at] == '\\' && at + 1 < text.size()) ++at;
            value += text[at];
        }
        at = std::min(at + 1, text.size());
    } else {
        at = std::min(text.find(' '), text.size());
        value = text.substr(0, at);
    }
    text.remove_prefix(at);
    return value;
}

bool is_number(std::string_view value) noexcept {
    const std::string_view digits = value.starts_with('-') ? value.substr(1) : value;
    if (digits.empty() || digits.size() > kExactDigits) return false;
    if (digits.size() > 1 && digits[0] == '0') return false;
    return std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

std::string iso_time(spdlog::log_clock::time_point at) {
    const auto since_epoch = at.time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_epoch);
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch - seconds);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                       fmt::gmtime(static_cast<std::time_t>(seconds.count())), rest.count());
}

class ConsoleSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    ConsoleSink(std::shared_ptr<Console> console, bool json)
        : console_(std::move(console)), json_(json) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string time = iso_time(message.time);
        const std::string_view payload(message.payload.data(), message.payload.size());
        console_->line(
            (json_ ? log_line_json : log_line_text)(name_of(message.level), time, payload));
    }
    void flush_() override {}

  private:
    const std::shared_ptr<Console> console_;
    const bool json_;
};

}  // namespace

std::optional<LogLevel> log_level_of(std::string_view name) noexcept {
    const auto found = std::ranges::find(kNames, name);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<LogLevel>(found - kNames.begin());
}

LogLevel log_level_of_hive(uint64_t level) noexcept {
    constexpr std::array kLevels = {LogLevel::Error, LogLevel::Error, LogLevel::Warn,
                                    LogLevel::Info,  LogLevel::Debug, LogLevel::Trace};
    return kLevels[std::min<uint64_t>(level, kLevels.size() - 1)];
}

void Console::write(std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stderr);
}

void Console::line(std::string_view text) noexcept {
    const std::scoped_lock lock(mutex_);
    if (!bar_.empty()) write(kClearLine);
    write(text);
    write("\n");
    if (!bar_.empty()) write(bar_);
    std::fflush(stderr);
}

void Console::bar(std::string_view text) noexcept {
    const std::scoped_lock lock(mutex_);
    if (!terminal_ || (bar_.empty() && text.empty())) return;
    write(kClearLine);
    write(text);
    std::fflush(stderr);
    bar_ = text;
}

std::shared_ptr<Console> start_logging(const LogOptions& options) {
    const auto console = std::make_shared<Console>(::isatty(STDERR_FILENO) != 0);
    auto logger = std::make_shared<spdlog::logger>(
        "keel", std::make_shared<ConsoleSink>(console, options.json));
    logger->set_level(to_spdlog(options.level));
    spdlog::set_default_logger(std::move(logger));
    return console;
}

std::string log_value(std::string_view value) {
    const bool plain = !value.empty() && std::ranges::none_of(value, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '\\';
    });
    if (plain) return std::string(value);
    std::string quoted = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return quoted + '"';
}

std::string log_line_text(std::string_view level, std::string_view time, std::string_view payload) {
    return fmt::format("{} {} {}", level, time, payload);
}

std::string log_line_json(std::string_view level, std::string_view time, std::string_view payload) {
    std::string line = fmt::format(R"({{"level":"{}","time":"{}","event":)", level, time);
    // The event is what stands before the first key; it may have several words.
    size_t end = 0;
    while (end < payload.size() && key_length(payload.substr(end)) == 0) {
        const size_t blank = payload.find(' ', end);
        end = blank == std::string_view::npos ? payload.size() : blank + 1;
    }
    std::string_view event = payload.substr(0, end);
    while (event.ends_with(' ')) event.remove_suffix(1);
    append_json_string(line, event);
    std::string_view rest = payload.substr(end);
    std::string stray;  // words between fields that are no fields
    while (!rest.empty()) {
        if (rest[0] == ' ') {
            rest.remove_prefix(1);
            continue;
        }
        const size_t length = key_length(rest);
        if (length == 0) {
            if (!stray.empty()) stray += ' ';
            stray += take_value(rest);
            continue;
        }
        const std::string_view key = rest.substr(0, length - 1);
        rest.remove_prefix(length);
        const bool quoted = rest.starts_with('"');
        const std::string value = take_value(rest);
        line += ',';
        append_json_string(line, key);
        line += ':';
        if (!quoted && is_number(value))
            line += value;
        else
            append_json_string(line, value);
    }
    if (!stray.empty()) {
        line += ",\"text\":";
        append_json_string(line, stray);
    }
    return line + '}';
}

}  // namespace keel::node
