#include "db/mem/readers.hpp"

#include <algorithm>

namespace keel::db::mem {

Readers::Readers()
    // Fresh memory is zero, which is a valid free word.
    : memory_(core::AddressRange::committed((kSlots + 1) * (sizeof(Word) + sizeof(Sight)))),
      words_(reinterpret_cast<Word*>(memory_.data())),
      sights_(reinterpret_cast<Sight*>(words_ + kSlots + 1)) {}

Newest::View Readers::begin_own(const Newest& newest) noexcept {
    Word& word = words_[kOwnSlot];
    Newest::View view = {newest.id(), {}};
    word.view.store(view.id, std::memory_order_seq_cst);
    publish(word, kOwnSlot, newest, thread_number(), view);
    return view;
}

void Readers::live_views(std::vector<uint64_t>& views) const {
    views.clear();
    each_used([&](uint32_t slot, const Word& word) {
        const uint64_t view = word.view.load(std::memory_order_seq_cst);
        if (view == 0 || view == kEnding) return;
        views.push_back(view);
        note(slot, word);
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
        note(slot, word);
        readers.push_back({slot, view, word.serial.load(std::memory_order_relaxed),
                           sights_[slot].since_ms.load(std::memory_order_relaxed),
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
