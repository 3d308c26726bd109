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
        "site_navigation": "站点",
        "footer_note": "单元格里的代码在你自己的进程里运行，不会影响别人。",
        "licences": "第三方许可",
        "index_heading": "运行一行代码，看清它背后的计算图",
        "index_lede": (
            "用 PyTorch 的写法学张量与自动求导。页面里的每段代码都能改、能运行；跑完以后，前向怎么算、梯度怎"
            "么流、哪些值被保存又被释放，一步一步都能打开看。"
        ),
        "hero_alt": "计算图：x 等于 3，经过平方得到 y 等于 9；梯度从 y 的 1 往回流，到 x 是 6",
        "start_reading": "从头开始",
        "chapter_number": "第 {number} 章",
        "opening": "开篇",
        "chapters": "各章",
        "on_this_page": "本页",
        "contents_narrow": "目录（窄屏）",
        "link_to_section": "本节链接：{title}",
        "neighbours": "前后章节",
        "download": "下载本章：",
        "as_notebook": "Jupyter 笔记本",
        "as_script": "Python 脚本",
        "cell_code": "单元格 {cell} 的代码",
        "recorded_with": "PyTorch {version} 打印的结果",
        "output_label": "输出",
        "output_warning": "警告与错误输出",
        "quiz": "想一想",
        "no_script": (
            "没有启用 JavaScript：代码可以读，下面的输出是真正的 PyTorch 打印的；要自己运行，请启用 JavaScrip"
            "t，或下载本章的笔记本。"
        ),
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
        "error_not_found_detail": (
            "The address may be mistyped, or the page has moved. Start again from the contents."
        ),
        "error_method_title": "This page cannot be called that way",
        "error_method_detail": "Start again from the contents.",
        "error_internal_title": "The server failed",
        "error_internal_detail": "Reload the page; if it fails again, the server's log says why.",
        "back_to_contents": "Back to the contents",
        "site_navigation": "Site",
        "footer_note": "Cells run in a process of your own; they cannot disturb anyone else.",
        "licences": "Third-party licences",
        "index_heading": "Run a line of code, see the graph behind it",
        "index_lede": (
            "Learn tensors and autograd the way PyTorch writes them. Every piece of code on these "
            "pages can be edited and run; afterwards you can open what happened, step by step: what "
            "the forward pass computed, how the gradients flowed, which values were kept and when "
            "they were let go."
        ),
        "hero_alt": "A graph: x is 3, squared it gives y, which is 9; the gradient flows back, 1 at y and 6 at x",
        "start_reading": "Start reading",
        "chapter_number": "Chapter {number}",
        "opening": "Opening",
        "chapters": "Chapters",
        "on_this_page": "On this page",
        "contents_narrow": "Contents (narrow screens)",
        "link_to_section": "Link to this section: {title}",
        "neighbours": "Neighbouring chapters",
        "download": "Take this chapter with you:",
        "as_notebook": "Jupyter notebook",
        "as_script": "Python script",
        "cell_code": "Code of cell {cell}",
        "recorded_with": "PyTorch {version} printed this",
        "output_label": "Output",
        "output_warning": "Warnings and errors",
        "quiz": "Think first",
        "no_script": (
            "JavaScript is off: the code can be read, and the outputs below are what real PyTorch "
            "printed. To run cells, turn JavaScript on or download the chapter as a notebook."
        ),
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
