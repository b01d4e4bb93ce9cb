#include "node/progress.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace keel::node {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kBarEveryNs = kSecondNs / 10;
constexpr uint64_t kLineEveryNs = 8 * kSecondNs;
constexpr uint64_t kMarkEveryNs = 4 * kSecondNs;
constexpr size_t kUsualColumns = 80;
constexpr size_t kBarCells = 20;

double seconds(uint64_t ns) noexcept {
    return static_cast<double>(ns) / static_cast<double>(kSecondNs);
}

/// Of the input, from 0 to 100; none: its length is unknown.
std::optional<double> percent(const Progress& progress) noexcept {
    if (progress.input_total == 0) return std::nullopt;
    return std::min(100.0, 100.0 * static_cast<double>(progress.input_done) /
                               static_cast<double>(progress.input_total));
}

/// Seconds that are left if it goes on like this; none: unknown.
std::optional<uint64_t> eta_s(const Progress& progress, uint64_t elapsed_ns) noexcept {
    const auto done = percent(progress);
    if (!done || *done <= 0) return std::nullopt;
    return static_cast<uint64_t>(seconds(elapsed_ns) * (100.0 - *done) / *done + 0.5);
}

ProgressRates rates_between(const Progress& from, const Progress& to, uint64_t ns) noexcept {
    if (ns == 0) return {};
    return {.blocks_per_s = static_cast<uint64_t>(
                static_cast<double>(to.blocks - from.blocks) / seconds(ns) + 0.5),
            .mgas_per_s = static_cast<double>(to.gas - from.gas) / 1e6 / seconds(ns)};
}

size_t terminal_columns() noexcept {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
    return size.ws_col;
}

}  // namespace

std::string progress_line(const Progress& progress, const ProgressRates& rates,
                          uint64_t elapsed_ns) {
    std::string line = fmt::format(
        "import_progress number={} blocks={} blocks_per_s={} mgas_per_s={:.1f} elapsed_s={}",
        progress.number, progress.blocks, rates.blocks_per_s, rates.mgas_per_s,
        elapsed_ns / kSecondNs);
    if (const auto done = percent(progress)) line += fmt::format(" percent={:.0f}", *done);
    if (const auto left = eta_s(progress, elapsed_ns)) line += fmt::format(" eta_s={}", *left);
    return line;
}

std::string progress_bar(const Progress& progress, const ProgressRates& rates, uint64_t elapsed_ns,
                         size_t columns) {
    std::string text;
    if (const auto done = percent(progress)) {
        const auto full = static_cast<size_t>(*done * kBarCells / 100.0);
        text += fmt::format("[{}{}] {:3.0f} %  ", std::string(full, '#'),
                            std::string(kBarCells - full, '.'), *done);
    }
    text += fmt::format("block {}  {} blocks/s  {:.1f} Mgas/s", progress.number, rates.blocks_per_s,
                        rates.mgas_per_s);
    if (const auto left = eta_s(progress, elapsed_ns))
        text += fmt::format("  {}:{:02} left", *left / 60, *left % 60);
    // A bar that wraps could not be taken away.
    if (text.size() >= columns) text.resize(columns - std::min<size_t>(columns, 1));
    return text;
}

ProgressMeter::ProgressMeter(std::shared_ptr<Console> console, uint64_t now_ns)
    : console_(std::move(console)),
      began_ns_(now_ns),
      shown_ns_(now_ns),
      mark_ns_(now_ns),
      next_mark_ns_(now_ns) {}

ProgressMeter::~ProgressMeter() {
    if (console_) console_->bar({});
}

void ProgressMeter::update(const Progress& progress, uint64_t now_ns) {
    if (!console_) return;
    if (now_ns - shown_ns_ < (console_->is_terminal() ? kBarEveryNs : kLineEveryNs)) return;
    shown_ns_ = now_ns;
    const ProgressRates rates = rates_between(mark_, progress, now_ns - mark_ns_);
    if (now_ns - next_mark_ns_ >= kMarkEveryNs) {
        mark_ = std::exchange(next_mark_, progress);
        mark_ns_ = std::exchange(next_mark_ns_, now_ns);
    }
    const uint64_t elapsed_ns = now_ns - began_ns_;
    if (console_->is_terminal())
        console_->bar(progress_bar(progress, rates, elapsed_ns, terminal_columns()));
    else
        spdlog::info("{}", progress_line(progress, rates, elapsed_ns));
}

}  // namespace keel::node
