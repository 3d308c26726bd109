"""The texts of the user interface in both languages. A test holds the two dictionaries to the same keys."""

from __future__ import annotations

from collections.abc import Iterator

from app.lessons.model import LANGUAGES, Lang

STRINGS: dict[Lang, dict[str, str]] = {
    "zh": {
        "lang_tag": "zh-CN",
        "site_title": "gradlens",
        "site_tagline": "张量与自动求导：边运行，边看清计算图",
        "other_language": "English",
        "skip_to_content": "跳到正文",
        "contents": "目录",
        "previous": "上一章",
        "next": "下一章",
        "api_documentation": "HTTP 接口",
        "error_not_found_title": "没有这个页面",
        "error_not_found_detail": "地址可能写错了，也可能页面换了位置。请从目录重新进入。",
        "error_method_title": "不支持这种访问方式",
        "error_method_detail": "请从目录重新进入页面。",
        "error_internal_title": "服务器出错了",
        "error_internal_detail": "请刷新页面再试一次；如果仍然出错，服务器的日志里有原因。",
        "back_to_contents": "回到目录",
    },
    "en": {
        "lang_tag": "en",
        "site_title": "gradlens",
        "site_tagline": "Tensors and autograd: run the code, see the graph",
        "other_language": "中文",
        "skip_to_content": "Skip to the text",
        "contents": "Contents",
        "previous": "Previous",
        "next": "Next",
        "api_documentation": "HTTP API",
        "error_not_found_title": "There is no such page",
        "error_not_found_detail": "The address may be mistyped, or the page has moved. Start again from the contents.",
        "error_method_title": "This page cannot be called that way",
        "error_method_detail": "Start again from the contents.",
        "error_internal_title": "The server failed",
        "error_internal_detail": "Reload the page; if it fails again, the server's log says why.",
        "back_to_contents": "Back to the contents",
    },
}


def other_language(lang: Lang) -> Lang:
    """The language the switch in the page leads to."""
    return "en" if lang == "zh" else "zh"


def preferred_language(accept_language: str | None) -> Lang:
    """The site's language that suits an `Accept-Language` header best; English when none does."""
    best: Lang = "en"
    best_weight = 0.0
    for tag, weight in _ranges(accept_language or ""):
        for lang in LANGUAGES:
            if weight > best_weight and tag.split("-")[0] == lang:
                best, best_weight = lang, weight
    return best


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    for item in header.split(","):
        tag, _, parameters = item.strip().partition(";")
        weight = 1.0
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        yield tag.strip().lower(), weight
