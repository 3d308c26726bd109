/** What a beginner can do about an error, where the error itself does not say. Pure: knows texts, no page. */
import type { Lang } from "./i18n";
import type { ErrorOutput } from "./protocol";

export interface ErrorHelp {
  message: string;
  /** The name is missing because cells above have not run: running them would help. */
  runAbove: boolean;
}

/** Signs of a Chinese keyboard that Python has another sign for; those of the block U+FF01–U+FF5E follow a rule. */
const signs: Record<string, string> = {
  "，": ",",
  "、": ",",
  "。": ".",
  "“": '"',
  "”": '"',
  "‘": "'",
  "’": "'",
  "【": "[",
  "】": "]",
  "《": "<",
  "》": ">",
  "…": "...",
  "—": "-",
  "–": "-",
  "−": "-",
  "×": "*",
  "÷": "/",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
};

/** @param above sources of the cells above that have not run since the kernel was new */
export function helpFor(error: ErrorOutput, above: readonly string[], lang: Lang): ErrorHelp | null {
  return signHelp(error.evalue, lang) ?? nameHelp(error, above, lang) ?? inputHelp(error.evalue, lang);
}

function signHelp(evalue: string, lang: Lang): ErrorHelp | null {
  const space = /^invalid non-printable character U\+(00A0|3000|2003|200B)/.exec(evalue);
  if (space) {
    const message =
      lang === "zh"
        ? "这一行里有一个看不见的特殊空格（常见于从网页复制的代码，或全角输入）。把它删掉，换成普通空格。"
        : "There is an invisible special space in this line, as in code copied from a web page. Replace it by an ordinary space.";
    return { message, runAbove: false };
  }
  const found = /^invalid character '(.)'/u.exec(evalue)?.[1];
  const wanted = found && plainSign(found);
  if (!wanted) return null;
  const message =
    lang === "zh"
      ? `“${found}”是中文（全角）符号，Python 只认英文（半角）的 ${wanted}。切换到英文输入法，把它改过来。`
      : `Python has no “${found}”; what you want is ${wanted}. Keyboards for Chinese and word processors put such signs in.`;
  return { message, runAbove: false };
}

/** Null for signs that stand for nothing in Python. */
export function plainSign(sign: string): string | null {
  const code = sign.codePointAt(0)!;
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCodePoint(code - 0xfee0);
  return signs[sign] ?? null;
}

function nameHelp({ ename, evalue }: ErrorOutput, above: readonly string[], lang: Lang): ErrorHelp | null {
  const name = ename === "NameError" ? /^name '(\w+)' is not defined/u.exec(evalue)?.[1] : undefined;
  if (!name) return null;
  const word = new RegExp(`(?<![\\p{L}\\p{N}_.])${name}(?![\\p{L}\\p{N}_])`, "u");
  if (!above.some((source) => word.test(source))) return null;
  const message =
    lang === "zh"
      ? `${name} 在上面的单元格里，那些单元格还没有运行。`
      : `${name} comes from a cell above, and not all of those have been run.`;
  return { message, runAbove: true };
}

function inputHelp(evalue: string, lang: Lang): ErrorHelp | null {
  if (lang !== "zh" || !evalue.startsWith("input() is not available")) return null;
  return { message: "这个页面上不能用 input() 等待输入，把要输入的内容直接写进代码里。", runAbove: false };
}

/** Why a run ended, as the server says it, in the language of the page. */
const reasonsZh: [RegExp, string][] = [
  [/The cell has computed for (\S+) s, the most a cell may\./, "它已经算了 $1 秒，这是一个单元格的上限。"],
  [/The cell has run for (\S+) s, the most a cell may\./, "它已经运行了 $1 秒，这是一个单元格的上限。"],
  [/The cell did not stop when it was asked to, so its kernel was ended\./, "它没有响应停止的请求。"],
  [/The cell ended its own kernel \(exit code (\d+)\)\./, "是代码自己结束了进程（退出码 $1）。"],
  [/The cell ended its own kernel \(signal (\d+)\)\./, "是代码自己结束了进程（信号 $1）。"],
  [/The cell crashed the kernel \((\w+)\)\./, "代码让进程崩溃了（$1）。"],
  [/The system ended the kernel, most likely because memory ran out\./, "多半是内存用完了。"],
  [/The cell sent what no cell may send, so its kernel was ended\./, "它的输出太多、太碎，超过了一个单元格的上限。"],
  [/The kernel was restarted\./, "因为按了“重启”。"],
  [/The kernel was ended, because nobody used it\./, "因为长时间没有使用。"],
];

export function reasonIn(lang: Lang, reason: string): string {
  if (lang === "en") return reason;
  return reasonsZh.reduce((said, [en, zh]) => said.replace(en, zh), reason).replace(/。 /g, "。");
}
