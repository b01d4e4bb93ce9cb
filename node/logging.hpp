#pragma once

// What the program says on stderr while it works: one event a line, as text
//
//   info 2026-01-02T03:04:05.678Z block_imported number=18 hash=0x5ab1… txs=3
//
// or as one JSON object a line with the same names. Levels: error, a person must act; warn, it went
// on but is not as asked; info, what an operator wants; debug and trace, for us.

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace keel::node {

enum class LogLevel : uint8_t { Error, Warn, Info, Debug, Trace };

/// None: not the name of a level.
std::optional<LogLevel> log_level_of(std::string_view name) noexcept;
/// Levels as hive counts them: 0 and 1 error, 2 warn, 3 info, 4 debug, 5 and above trace.
LogLevel log_level_of_hive(uint64_t level) noexcept;

struct LogOptions {
    LogLevel level = LogLevel::Info;
    bool json = false;
};

/// Standard error, shared by log lines and a bar that stays below them. Any thread.
class Console {
  public:
    explicit Console(bool terminal) noexcept : terminal_(terminal) {}

    /// A whole line; the bar, if there is one, is drawn again behind it.
    void line(std::string_view text) noexcept;
    /// Replaces the bar; empty: takes it away. Nothing happens when stderr is not a terminal.
    void bar(std::string_view text) noexcept;
    bool is_terminal() const noexcept { return terminal_; }

  private:
    void write(std::string_view text) noexcept;

    const bool terminal_;
    std::mutex mutex_;  // innermost
    std::string bar_;
};

/// Makes spdlog's default logger write as `options` say. Once, before any thread logs. The console
/// lives as long as the logger.
std::shared_ptr<Console> start_logging(const LogOptions& options);

/// `value` as it stands behind `key=`: in quotes when it is empty or has blanks, quotes or control
/// characters.
std::string log_value(std::string_view value);

/// The line of an event, without its end. `payload` is `event key=value…`; `time` is ISO 8601.
/// As JSON: {"level":…,"time":…,"event":…,"key":…}, a decimal integer as a number.
std::string log_line_text(std::string_view level, std::string_view time, std::string_view payload);
std::string log_line_json(std::string_view level, std::string_view time, std::string_view payload);

}  // namespace keel::node
