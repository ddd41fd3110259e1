import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";
import type { Browser, Locator, Page } from "playwright-core";

import { UDIST_SCREENSHOTS } from "./host.js";

const { UDIST_CHROMIUM = "/usr/bin/chromium" } = process.env;

/** How long a workbench may take for what is asked of it, in milliseconds. */
const PATIENCE = Number(process.env.UDIST_PATIENCE ?? 60_000);

/** How long until the extensions' own parts of the workbench are there, in milliseconds. */
const STARTING = 120_000;

/** A workbench in a browser, driven as a person does. */
export class Workbench implements AsyncDisposable {
  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  static async open(url: string): Promise<Workbench> {
    const browser = await chromium.launch({ executablePath: UDIST_CHROMIUM, args: ["--no-sandbox"] });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(PATIENCE);
    await page.goto(url);
    await page.locator(".monaco-workbench").waitFor();
    return new Workbench(browser, page);
  }

  /** The rows of the tree. */
  get rows(): Locator {
    return this.page.locator(".pane-body .monaco-list-row");
  }

  row(label: string | RegExp): Locator {
    return this.rows.filter({ has: this.page.locator(".label-name", { hasText: label }) }).first();
  }

  /** Opens the view of the stores. */
  async showStores(): Promise<void> {
    await this.page.locator('.activitybar a[aria-label^="OCI Stores"]').click({ timeout: STARTING });
  }

  async expand(label: string | RegExp): Promise<void> {
    await this.row(label).click();
    await this.page.keyboard.press("ArrowRight");
  }

  /** Chooses an item of a row's menu. */
  async choose(label: string | RegExp, item: string): Promise<void> {
    await this.chooseOf(this.row(label), item);
  }

  /** As `choose`, for any row. A menu that has just appeared may ignore a click. */
  async chooseOf(row: Locator, item: string): Promise<void> {
    await row.click({ button: "right" });
    const entry = this.page.locator(".monaco-menu .action-label").filter({ hasText: item }).first();
    await entry.waitFor();
    for (let tries = 0; tries < 10 && (await entry.isVisible()); tries++) {
      await entry.click({ timeout: 1_000 }).catch(() => undefined);
      await entry.waitFor({ state: "hidden", timeout: 1_000 }).catch(() => undefined);
    }
  }

  /** The titles of what can be chosen in a row's menu. */
  async enabledOf(label: string | RegExp): Promise<string[]> {
    await this.row(label).click({ button: "right" });
    const entries = this.page.locator(".monaco-menu .action-item:not(.disabled) .action-label:not(.disabled)");
    await entries.first().waitFor();
    const titles = await entries.allInnerTexts();
    await this.page.keyboard.press("Escape");
    return titles.filter((title) => title !== "");
  }

  /** Presses a button of the dialog that is shown. */
  async answer(button: string): Promise<void> {
    await this.page.locator(".monaco-dialog-box .monaco-button", { hasText: button }).click();
  }

  async tab(title: string): Promise<void> {
    await this.page.locator(".tab", { hasText: title }).first().waitFor();
  }

  async line(text: string | RegExp): Promise<void> {
    await this.page.locator(".view-line", { hasText: text }).first().waitFor();
  }

  /** Runs a command by its title. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-widget input").first();
    await input.fill(`>${title}`);
    await this.page.locator(".quick-input-widget .monaco-list-row", { hasText: title }).first().waitFor();
    await input.press("Enter");
  }

  /** Types into the input box that is shown, and accepts. */
  async type(text: string): Promise<void> {
    const input = this.page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await input.fill(text);
    await input.press("Enter");
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator(".notification-list-item", { hasText: text }).first();
  }

  async screenshot(name: string): Promise<void> {
    if (!UDIST_SCREENSHOTS) return;
    await mkdir(UDIST_SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(UDIST_SCREENSHOTS, `${name}.png`) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.screenshot("last");
    await this.browser.close();
  }
}
