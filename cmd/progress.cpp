#include "cmd/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cmd/output.hpp"
#include "core/clock.hpp"

namespace keel::cmd {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kBarEveryNs = kSecondNs / 5;
constexpr uint64_t kLineEveryNs = 8 * kSecondNs;
constexpr uint64_t kBarCells = 20;

}  // namespace

std::string progress_text(uint64_t done, uint64_t all, const std::string& unit,
                          uint64_t elapsed_ns) {
    if (all == 0) return fmt::format("{} {}", done, unit);
    done = std::min(done, all);  // `all` may be an estimate
    const double part = static_cast<double>(done) / static_cast<double>(all);
    const auto cells = static_cast<size_t>(part * static_cast<double>(kBarCells));
    std::string text =
        fmt::format("[{}{}] {:3.0f} %  {} of {} {}", std::string(cells, '#'),
                    std::string(kBarCells - cells, '.'), part * 100, done, all, unit);
    if (done > 0) {
        const double elapsed_s = static_cast<double>(elapsed_ns) / static_cast<double>(kSecondNs);
        const auto left_s = static_cast<uint64_t>(elapsed_s * (1 - part) / part);
        text += fmt::format("  {}:{:02} left", left_s / 60, left_s % 60);
    }
    return text;
}

ProgressBar::ProgressBar(const Options& options, std::string unit)
    : console_(options.quiet ? nullptr : options.console),
      unit_(std::move(unit)),
      began_ns_(core::monotonic_ns()),
      shown_ns_(began_ns_) {}

ProgressBar::~ProgressBar() {
    if (console_) console_->bar({});
}

void ProgressBar::show(uint64_t done, uint64_t all) {
    if (!console_) return;
    const uint64_t now_ns = core::monotonic_ns();
    if (now_ns - shown_ns_ < (console_->is_terminal() ? kBarEveryNs : kLineEveryNs)) return;
    shown_ns_ = now_ns;
    const std::string text = progress_text(done, all, unit_, now_ns - began_ns_);
    console_->is_terminal() ? console_->bar(text) : say(text);
}

db::tools::Progress ProgressBar::watcher() {
    return [this](uint64_t done, uint64_t all) { show(done, all); };
}

}  // namespace keel::cmd
