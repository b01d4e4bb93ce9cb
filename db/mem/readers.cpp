#include "db/mem/readers.hpp"

#include <pthread.h>

#include <algorithm>

#include "core/clock.hpp"

namespace keel::db::mem {
namespace {

/// Threads start their search in places of their own, and find the same slot again.
uint64_t thread_number() noexcept {
    return static_cast<uint64_t>(::pthread_self());
}

uint32_t first_slot(uint64_t thread) noexcept {
    constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
    constexpr int kSlotBits = std::countr_zero(Readers::kSlots);
    return static_cast<uint32_t>((thread >> 6) * kMultiplier >> (64 - kSlotBits));
}

}  // namespace

Readers::Readers() : memory_((kSlots + 1) * sizeof(Word), (kSlots + 1) * sizeof(Word)) {
    if (!memory_.commit(0, memory_.size())) throw core::FileFault("reader slots", "commit", ENOMEM);
    // Fresh memory is zero, which is a valid free word.
    words_ = reinterpret_cast<Word*>(memory_.data());
}

std::optional<Readers::Begun> Readers::begin(const Newest& newest) noexcept {
    const uint64_t thread = thread_number();
    const uint32_t start = first_slot(thread);
    for (uint32_t probe = 0; probe < kSlots; ++probe) {
        const uint32_t slot = (start + probe) % kSlots;
        Word& word = words_[slot];
        uint64_t free = word.view.load(std::memory_order_relaxed);
        if (free != 0) continue;
        uint64_t id = newest.id();
        if (!word.view.compare_exchange_strong(free, id, std::memory_order_seq_cst)) continue;
        Newest::View view = {id, {}};
        publish(word, slot, newest, thread, view);
        return Begun{slot, view};
    }
    return std::nullopt;
}

Newest::View Readers::begin_own(const Newest& newest) noexcept {
    Word& word = words_[kOwnSlot];
    Newest::View view = {newest.id(), {}};
    word.view.store(view.id, std::memory_order_seq_cst);
    publish(word, kOwnSlot, newest, thread_number(), view);
    return view;
}

void Readers::publish(Word& word, uint32_t slot, const Newest& newest, uint64_t thread,
                      Newest::View& view) noexcept {
    const uint64_t bit = uint64_t{1} << (slot % 64);
    if ((used_[slot / 64].load(std::memory_order_relaxed) & bit) == 0)
        used_[slot / 64].fetch_or(bit, std::memory_order_seq_cst);
    view.catalogue = newest.catalogue(view.id);
    for (uint64_t now = newest.id(); now != view.id; now = newest.id()) {
        view.id = now;
        word.view.store(now, std::memory_order_seq_cst);
        view.catalogue = newest.catalogue(now);
    }
    word.serial.store(word.serial.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    word.began_ms.store(core::monotonic_coarse_ms(), std::memory_order_relaxed);
    word.thread.store(thread, std::memory_order_relaxed);
}

void Readers::live_views(std::vector<uint64_t>& views) const {
    views.clear();
    each_used([&](uint32_t, const Word& word) {
        const uint64_t view = word.view.load(std::memory_order_seq_cst);
        if (view != 0 && view != kEnding) views.push_back(view);
    });
    std::ranges::sort(views);
    const auto doubles = std::ranges::unique(views);
    views.erase(doubles.begin(), doubles.end());
}

std::vector<ReaderInfo> Readers::live() const {
    std::vector<ReaderInfo> readers;
    each_used([&](uint32_t slot, const Word& word) {
        const uint64_t view = word.view.load(std::memory_order_seq_cst);
        if (view == 0 || view == kEnding || slot == kOwnSlot) return;
        readers.push_back({slot, view, word.serial.load(std::memory_order_relaxed),
                           word.began_ms.load(std::memory_order_relaxed),
                           word.thread.load(std::memory_order_relaxed)});
    });
    return readers;
}

uint64_t Readers::count() const noexcept {
    uint64_t live = 0;
    each_used([&](uint32_t, const Word& word) {
        if (word.view.load(std::memory_order_seq_cst) != 0) ++live;
    });
    return live;
}

bool Readers::any_ending() const noexcept {
    bool ending = false;
    each_used([&](uint32_t, const Word& word) {
        ending |= word.view.load(std::memory_order_seq_cst) == kEnding;
    });
    return ending;
}

}  // namespace keel::db::mem
