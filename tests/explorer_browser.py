"""The explorer's page in a real browser: every feature, no request, no error, and whether all can use it.

explorer_browser.py PROGRAM FOLDER: draws pages with the program into the folder, opens them in headless Chromium
and tries them; screenshots are left in the folder. Prints SKIPPED where a browser, its driver or selenium is missing.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print('SKIPPED: there is no selenium; `tools/setup chromium chromium-driver python3-selenium` installs it')
    sys.exit(0)

PROGRAM, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
CHROMIUM, DRIVER = '/usr/bin/chromium', '/usr/bin/chromedriver'
SIZES = {'desktop': (1280, 800), 'tablet': (820, 1180), 'phone': (390, 780)}
failures = []
checks = 0


def check(what, holds, more=''):
    global checks
    checks += 1
    if not holds:
        failures.append(f'{what} {more}')
        print(f'FAILED: {what} {more}', flush=True)


def show(name, *arguments):
    path = os.path.join(FOLDER, name + '.html')
    subprocess.run([PROGRAM, 'show', *arguments, '-q', '-o', path], check=True, cwd=FOLDER)
    return path


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = CHROMIUM
        for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                         '--force-device-scale-factor=1', '--window-size=1280,800'):
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        self.driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        self.media({})
        self.size('desktop')

    def media(self, features, kind=''):
        features = {'prefers-reduced-motion': 'reduce', **features}
        self.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {
            'media': kind, 'features': [{'name': n, 'value': v} for n, v in features.items()]})

    def size(self, name):
        width, height = SIZES[name]
        self.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
            'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': False})

    def open(self, path, link=''):
        """Opens a page anew; returns the seconds until its first frame."""
        self.driver.get('about:blank')
        self.log()
        start = time.time()
        self.driver.get('file://' + path + link)
        self.js('return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
        return time.time() - start

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, what, script, seconds=3):
        """Waits until a condition of the page holds; it is a check."""
        end = time.time() + seconds
        while time.time() < end:
            if self.js('return Boolean(' + script + ')'):
                return check(what, True)
            time.sleep(0.03)
        return check(what, False, script)

    def log(self):
        return [e for e in self.driver.get_log('browser')]

    def requests(self):
        urls = []
        for entry in self.driver.get_log('performance'):
            message = json.loads(entry['message'])['message']
            if message['method'] == 'Network.requestWillBeSent':
                urls.append(message['params']['request']['url'])
        return urls

    def quiet(self, page):
        log = self.log()
        check(page + ': nothing on the console', not log, log)
        strange = [u for u in self.requests() if not u.startswith(('file://' + FOLDER, 'about:', 'data:'))]
        check(page + ': no request leaves', not strange, strange)

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def panel(self):
        return self.find('#panel').text

    def click_node(self, name):
        self.js('const n = [...document.querySelectorAll("g.n")].find((n) => n.textContent.startsWith(arguments[0]));'
                'const b = n.getBoundingClientRect();'
                'for (const type of ["pointerdown", "pointerup"]) n.dispatchEvent(new PointerEvent(type, {bubbles: true,'
                ' button: 0, pointerId: 1, clientX: b.x + b.width / 2, clientY: b.y + b.height / 2}));', name)

    def press(self, selector, starts=''):
        """A click of the mouse where an element is drawn: what lies over it would get it."""
        e = self.js('return [...document.querySelectorAll(arguments[0])].find((e) => e.textContent.startsWith(arguments[1]))',
                    selector, starts)
        check(f'there is {selector} {starts}', e is not None)
        if e is not None:
            ActionChains(self.driver).move_to_element(e).click().perform()

    def press_strip(self, row, place, places):
        """A click on a column of the gradient's flow, of so many."""
        strip = self.find(f'#flow canvas[data-row={row}]')
        ActionChains(self.driver).move_to_element_with_offset(
            strip, int(strip.size['width'] * ((place - 0.5) / places - 0.5)), 0).click().perform()

    def shot(self, name):
        self.driver.save_screenshot(os.path.join(FOLDER, name + '.png'))

    def scale(self):
        return float(self.js('return document.querySelector("#stage svg > g").getAttribute("transform")')
                     .split('scale(')[1].rstrip(')'))


def try_views(b, page):
    b.open(page)
    views = [e.text for e in b.driver.find_elements(By.CSS_SELECTOR, '#views button')]
    check('views', views == ['Folded', 'Unfolded', 'Gradient', 'Model'], views)
    check('the view asked for comes first', b.find('#views [aria-pressed=true]').text == 'Unfolded')
    b.click_node('h[2]')
    check('a click selects', b.panel().startswith('h[2]'), b.panel()[:80])
    b.find('#views button:nth-child(1)').click()
    check('folded, and the selection goes along', b.panel().startswith('h[t]'), b.panel()[:80])
    b.keys('v')
    check('unfolded by key, and back to a step', b.panel().startswith('h['), b.panel()[:80])
    b.keys('v')
    check('the gradient', '\u2207' in b.find('#stage').text)


def try_details(b, page):
    b.open(page)
    b.click_node('h[2]')
    text = b.panel()
    for part in ('tanh', 'shape', 't = 2', 'h[t] = tanh(a[t])', 'elman.json:10', 'Reads', 'a[2]', 'Read by'):
        check('details: ' + part, part in text, text)
    check('the left side is marked', b.find('#panel mark').text == 'h[t]')
    b.find('#panel button[data-to]').click()
    check('a producer is gone to', b.panel().startswith('a[2]'), b.panel()[:60])
    b.js('document.querySelector(\'g.n[aria-label*="matmul"]\').focus()')
    check('a part of the equation is marked', b.find('#panel mark').text in ('W @ h[t-1]', 'U @ x[t]'),
          b.panel()[:200])
    b.click_node('W[2]')
    marks = [m.text for m in b.driver.find_elements(By.CSS_SELECTOR, '#panel mark')]
    check('mentions of a weight', marks == ['W'] and 'Mentioned in' in b.panel(), marks)
    b.keys(Keys.ESCAPE)
    check('let go', 'Equations' in b.panel())


def try_paths(b, page):
    b.open(page)
    b.click_node('h[1]')
    b.keys('p')
    lit = b.js('return document.querySelectorAll("g.n.lit").length')
    check('paths are lit', lit > 8, lit)
    check('how many', 'paths to the loss' in b.panel(), b.panel()[:200])
    check('the rest is dim', b.js('return document.querySelector("svg.dim") !== null'))
    unlit = b.js('return [...document.querySelectorAll("g.n:not(.lit)")].map((n) => n.textContent)')
    check('not what does not depend on it', any(t.startswith('x[1]') for t in unlit), unlit)
    b.find('#paths').click()
    check('and out again', not b.driver.find_elements(By.CSS_SELECTOR, 'g.n.lit'))


def try_moving(b, page):
    b.open(page)
    before = b.scale()
    b.keys('+')
    check('zoom by key', b.scale() > before * 1.2)
    b.find('#out').click()
    check('zoom by button', abs(b.scale() / before - 1) < 0.01)
    where = b.js('return document.querySelector("#stage svg > g").getAttribute("transform")')
    stage = b.find('#stage')
    ActionChains(b.driver).move_to_element_with_offset(stage, -300, -250).click_and_hold() \
        .move_by_offset(40, 30).move_by_offset(40, 30).release().perform()
    check('drag', b.js('return document.querySelector("#stage svg > g").getAttribute("transform")') != where)
    b.js('const s = document.querySelector("#stage"); s.dispatchEvent(new WheelEvent("wheel", {deltaY: -200,'
         ' clientX: 400, clientY: 400, cancelable: true, bubbles: true}))')
    check('zoom by wheel', b.scale() > before * 1.3)
    b.keys('f')
    scale = b.scale()
    b.find('#fit').click()
    check('fit', abs(b.scale() - scale) < 1e-6)


def try_steps(b, page):
    b.open(page)
    b.click_node('h[1]')
    slider = b.find('#step')
    b.js('arguments[0].value = 3; arguments[0].dispatchEvent(new Event("input"))', slider)
    check('the slider shows its step', b.find('#step-label').text == 't = 3')
    check('the selection goes along', b.panel().startswith('h[3]'), b.panel()[:60])
    check('the step is marked', b.js('return document.querySelectorAll(".cl.on").length') == 1)
    b.js('document.activeElement.blur()')
    b.keys(Keys.ARROW_LEFT)
    check('left: a step before', b.panel().startswith('h[2]'), b.panel()[:60])
    b.keys(Keys.ARROW_UP)
    check('up: what it reads', b.panel().startswith('a[2]'), b.panel()[:60])
    b.keys(Keys.ARROW_DOWN)
    check('down: what reads it', b.panel().startswith('h[2]'), b.panel()[:60])
    b.keys(']')
    check('a step on', b.find('#step-label').text == 't = 3')
    b.keys('e')
    check('a step as operations', b.find('#expand').get_attribute('aria-pressed') == 'true'
          and b.js('return document.querySelectorAll("g.n.operation").length') >= 2)
    check('its neighbours are there', 'h[2]' in b.find('#stage').text)
    b.keys('e')
    check('and back', b.panel().startswith('h[3]'), b.panel()[:60])


def try_search(b, page):
    b.open(page)
    b.keys('/')
    b.keys('o[2')
    found = b.driver.find_elements(By.CSS_SELECTOR, '#found li')
    check('search finds', found and found[0].text.startswith('o[2]'), [f.text for f in found])
    b.keys(Keys.ENTER)
    check('Enter goes there', b.panel().startswith('o[2]'), b.panel()[:60])
    b.find('#search').clear()
    b.find('#search').send_keys('nothing of that name')
    check('search finds nothing', not b.driver.find_elements(By.CSS_SELECTOR, '#found li'))


def try_links(b, page):
    b.open(page)
    b.click_node('h[2]')
    b.keys('p')
    b.wait('the address says what is shown', 'location.hash.includes("node=h_2") && location.hash.includes("paths=1")')
    link = b.js('return location.hash')
    b.open(page, link)
    check('a link leads back', b.panel().startswith('h[2]') and 'paths to the loss' in b.panel(), b.panel()[:90])
    b.js('location.hash = "#view=folded&node=h"')
    b.wait('an address that changes is followed', 'document.querySelector("#panel h2").textContent === "h[t]"')
    b.js('location.hash = "#view=nowhere&node=none&at=1,x,0&step=%00"')
    b.wait('a spoilt one does no harm', 'document.querySelector("#views [aria-pressed=true]").textContent === "Unfolded"')
    b.quiet('links')


def try_help_and_print(b, page):
    b.open(page)
    b.keys('?')
    check('help opens', b.js('return document.querySelector("#help").open'))
    b.keys(Keys.ESCAPE)
    check('help closes', not b.js('return document.querySelector("#help").open'))
    b.media({}, 'print')
    b.js('dispatchEvent(new Event("beforeprint"))')
    check('print: the drawing alone', not b.find('header').is_displayed() and not b.find('#panel').is_displayed())
    check('print: all of it', b.js('return document.querySelector("#stage svg").getAttribute("viewBox")') is not None)
    b.shot('print')
    b.js('dispatchEvent(new Event("afterprint"))')
    b.media({})


LUMINANCE = '''
const parse = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
const luminance = (c) => { const [r, g, b] = parse(c).map((v) => { v /= 255;
  return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
'''


def try_access(b, page, scheme):
    """Names for all controls, contrast of all texts, an order of focus that follows the page."""
    b.open(page)
    b.click_node('h[2]')
    nameless = b.js('''
      const named = (e) => (e.getAttribute('aria-label') || e.textContent.trim() || e.title
        || (e.labels && e.labels.length && e.labels[0].textContent) || '').trim();
      return [...document.querySelectorAll('button,input,select,[role],aside')]
        .filter((e) => e.role !== 'presentation' && e.role !== 'status' && e.id !== 'said' && e.id !== 'found' && !e.closest('[hidden]') && !named(e))
        .map((e) => e.outerHTML.slice(0, 80))''')
    check('everything has a name', not nameless, nameless)
    poor = b.js(LUMINANCE + '''
      const solid = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$|transparent/.test(c)) return c; } return 'rgb(255,255,255)'; };
      const poor = [];
      for (const e of document.querySelectorAll('header *, #panel *')) {
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (own && e.offsetParent && !e.disabled && contrast(getComputedStyle(e).color, solid(e)) < 4.5)
          poor.push(e.textContent.slice(0, 30) + ' ' + contrast(getComputedStyle(e).color, solid(e)));
      }
      for (const g of document.querySelectorAll('g.n')) {
        const fill = getComputedStyle(g.querySelector('rect')).fill;
        for (const t of g.querySelectorAll('text'))
          if (fill !== 'none' && contrast(getComputedStyle(t).fill, fill) < 4.5) poor.push(g.textContent + ' ' + fill);
      }
      return poor''')
    check(scheme + ': contrast of 4.5', not poor, poor)
    order = b.js('''
      const seen = [];
      for (const e of document.querySelectorAll('button,input,select,[tabindex]'))
        if (e.tabIndex > 0) seen.push(e.outerHTML.slice(0, 60));
      return seen''')
    check('no order of focus but the page\'s', not order, order)
    b.js('document.activeElement.blur()')
    stops = []
    for _ in range(30):
        b.keys(Keys.TAB)
        stops.append(b.js('const e = document.activeElement; return e.id || e.dataset.node || e.textContent.slice(0, 20)'))
    need = ['step', 'search', 'paths', 'fit', 'stage']
    check('Tab reaches all', all(n in stops for n in need), stops)
    check('Tab reaches the chosen node', any(s.isdigit() for s in stops), stops)
    check('one h1', len(b.driver.find_elements(By.CSS_SELECTOR, 'h1')) == 1)
    check('a language', b.js('return document.documentElement.lang') == 'en')


def try_sizes(b, page):
    for name in SIZES:
        b.size(name)
        for scheme in ('light', 'dark'):
            b.media({'prefers-color-scheme': scheme})
            b.open(page)
            b.click_node('h[2]')
            b.keys('p')
            b.shot(f'{name}-{scheme}')
            wide = b.js('return document.documentElement.scrollWidth - innerWidth')
            check(f'{name}: nothing sticks out', wide <= 0, wide)
            if name == 'desktop':
                try_access(b, page, scheme)
    b.size('desktop')
    b.media({})


def try_values(b):
    """Numbers on the page: colours, a node's value and gradient, shares, thresholds, the flow of the gradient."""
    page = show('values', 'elman', '--steps', '6', '--values', '--seed', '2')
    b.open(page)
    check('coloured by value first', b.find('#colour').get_attribute('value') == 'value')
    fill = 'return getComputedStyle([...document.querySelectorAll("g.n")].find((n) => n.textContent.startsWith("h[3]"))' \
           '.querySelector("rect")).fill'
    seen = {b.js(fill)}
    for _ in range(4):
        b.keys('c')
        seen.add(b.js(fill))
    check('each colouring is another', len(seen) >= 4, seen)
    b.js('const c = document.querySelector("#colour"); c.value = "gradient"; c.dispatchEvent(new Event("change"))')
    check('a legend', b.find('#legend').is_displayed() and b.find('#legend').text)
    b.click_node('h[3]')
    text = b.panel()
    for part in ('Value', 'Gradient', 'mean', 'norm', 'operations', 'h over the steps'):
        check('values: ' + part, part in text, text)
    labels = b.js('return [...document.querySelectorAll("#panel [role=img]")].map((e) => e.getAttribute("aria-label"))')
    check('histogram and heat map have names', any('Histogram' in t for t in labels)
          and any('heat map' in t for t in labels), labels)
    shares = [float(e.text.rstrip(' %')) for e in
              b.driver.find_elements(By.XPATH, '//h3[.="Read by"]/following-sibling::ul[1]//span[@class="share"]')]
    check('shares of the edges that leave it add up', len(shares) == 2 and abs(sum(shares) - 100) < 0.2, shares)
    limit = b.find('#panel input[type=number]')
    limit.send_keys('0.5')
    above = b.find('#panel .above').text
    check('where it stays above a threshold', above.startswith('In ') and 'of 7 steps' in above, above)
    b.js('const s = document.querySelector("#panel select"); s.value = "1"; s.dispatchEvent(new Event("change"))')
    check('of one element', b.find('#panel .above').text.startswith('In '))
    rows = [e.text for e in b.driver.find_elements(By.CSS_SELECTOR, '#flow b')]
    check('the flow has a row a variable', rows == ['a', 'h', 'o'], rows)
    strip = b.find('#flow canvas[data-row=h]')
    ActionChains(b.driver).move_to_element_with_offset(strip, strip.size['width'] // 2 - 5, 0).click().perform()
    check('a click on the flow goes to its column', b.panel().startswith('h[6]')
          and b.find('#step-label').text == 't = 6', b.panel()[:60])
    b.find('#expand').click()
    b.click_node('W[6]')
    check('a copy of a weight has values as an operation of its step', 'Gradient' in b.panel(), b.panel()[:200])
    b.media({'prefers-color-scheme': 'dark'})
    b.open(page, '#view=unfolded&colour=gradient&node=h_3')
    b.shot('values-dark')
    try_access(b, page, 'values, dark')
    b.media({'prefers-color-scheme': 'light'})
    try_access(b, page, 'values, light')
    b.media({})


def try_not_finite(b):
    """A NaN among the inputs is found from the page."""
    x = [[[0.1 * t, 0.2]] for t in range(5)]
    x[2][0][0] = 'nan'
    with open(os.path.join(FOLDER, 'nan.json'), 'w') as f:
        json.dump({'x': x, 'y': [[0]] * 5}, f)
    page = show('nan', 'elman', '--values', '--inputs', 'nan.json', '--weights', weights_of_elman())
    b.open(page)
    check('nodes that are not finite are told', 'not finite' in b.panel(), b.panel()[:200])
    check('the first of them', b.js('return document.querySelector("#panel li button").textContent') == 'x[3]')
    check('red, along its way', b.js('return document.querySelectorAll("g.n.bad").length') > 5
          and b.js('return document.querySelectorAll("g.e.bad").length') > 4)
    check('not before it', 'bad' not in b.js(
        'return [...document.querySelectorAll("g.n")].find((n) => n.textContent.startsWith("h[2]")).getAttribute("class")')
          or 'gradient' in b.panel())
    b.find('#panel li button').click()
    check('a click goes there', b.panel().startswith('x[3]'), b.panel()[:60])
    b.shot('not-finite')


def try_walks(b):
    """What docs/explore.md finds from the page alone."""
    docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'docs', 'explore.md')
    with open(docs, encoding='utf-8') as f:
        for name, text in re.findall(r'```json file=(\S+)\n(.*?)```', f.read(), re.S):
            with open(os.path.join(FOLDER, name), 'w') as to:
                to.write(text)
    b.open(show('planted', 'planted.json', '--steps', '6', '--weights', 'weights.json', '--values'))
    said = b.js('return document.querySelector("#flow canvas[data-row=h]").getAttribute("aria-label")')
    words = 'falls most at t = 1: \u00d70.01, rises most at t = 4: \u00d740'
    check('the exploding and the vanishing step', words in said, said)
    check('are seen, not only said', words in b.find('#flow').text, b.find('#flow').text)
    b.press_strip('h', 5, 7)  # the first is t = 0
    check('the strip leads to h[4]', b.panel().startswith('h[4]') and 'norm 4126' in b.panel(), b.panel())
    b.press('#panel li button', '@ of h[5]')
    reads = b.panel().split('Reads')[1]
    check('which the product with W[5] reads', 'W[5]' in reads and 'h[4]' in reads, reads)
    b.press_strip('h', 2, 7)
    check('and to h[1]', b.panel().startswith('h[1]'), b.panel()[:60])
    b.open(show('roots', 'roots.json', '--inputs', 'data.json', '--values'))
    check('where the NaN begins', '8 values not finite\nIt begins at\nr[3]' in b.panel(), b.panel())
    b.shot('roots')
    b.press('#panel li button', 'r[3]')
    check('it is no number', b.panel().startswith('r[3]') and 'NaN' in b.panel(), b.panel())
    b.press('#panel li button', 'x[3]')
    check('what it is the root of is below 0', b.panel().startswith('x[3]') and '-0.01' in b.panel(), b.panel())
    b.open(show('copies', 'elman', '--steps', '5', '--detail', 'operations', '--values'))
    b.press('g.n', 'W[3]')
    check('dL/dW(3) as numbers', '0.02382 0.1442 -0.03085' in b.panel(), b.panel())
    shares = b.js('return [...document.querySelectorAll("#panel .share")].map((e) => e.title + " " + e.textContent)')
    check('its share in the gradient of W', any(t.startswith('of the gradient of W ') for t in shares), shares)
    b.keys('p')
    lit = b.js('return [...document.querySelectorAll("g.n.lit")].map((n) => n.textContent)')
    check('the ways it takes', all(any(t.startswith(n) for t in lit) for n in ('h[3]', 'h[4]', 'nll:y[5]'))
          and not any(t.startswith('h[2]') for t in lit), lit)
    b.shot('copies')
    b.press('#paths')
    b.press('g.n', 'h[3]')
    shares = [float(e.text.rstrip(' %')) for e in
              b.driver.find_elements(By.XPATH, '//h3[.="Read by"]/following-sibling::ul[1]//span[@class="share"]')]
    check('how the gradient divides at h[3]', len(shares) == 2 and abs(sum(shares) - 100) < 0.2, shares)


def try_printed(b):
    """As books print them: circles, steps raised, a black square on what comes from another step."""
    b.open(show('printed', 'bidirectional', '--detail', 'variables'))
    squares = b.js('return document.querySelectorAll("#stage .sq").length')
    check('a square on each delay', squares == 2, squares)
    b.keys('v')
    names = b.js('return [...document.querySelectorAll("g.n")].map((n) => n.textContent)')
    check('raised steps', 'h(2)' in names and b.js('return document.querySelectorAll("#stage tspan.up").length') > 8, names)
    check('circles', b.js('const r = document.querySelector("g.n rect"); return r.getAttribute("rx") * 2 == r.getAttribute("height")'))
    b.press('g.n', 'h(2)')
    check('a click on a circle selects', b.panel().startswith('h[2]'), b.panel()[:60])
    for scheme in ('light', 'dark'):
        b.media({'prefers-color-scheme': scheme})
        b.shot('printed-' + scheme)
    b.media({})


def try_graph_values(b):
    """A graph's JSON: the page has its numbers, in the gradient view too."""
    subprocess.run([PROGRAM, 'show', 'elman', '--steps', '3', '-q', '-o', 'graph.json'], check=True, cwd=FOLDER)
    b.open(show('graph', 'graph.json', '--values'))
    b.click_node('h[2]')
    for part in ('Value', 'Gradient', 'mean', 'norm'):
        check('a graph: ' + part, part in b.panel(), b.panel()[:300])
    shares = b.js('return [...document.querySelectorAll("#panel .share")].length')
    check('a graph: shares', shares > 0, shares)
    b.keys('v')
    b.click_node('\u2207W')
    check('a graph: values of the gradient itself', 'Value' in b.panel(), b.panel()[:300])


def try_second_gradient(b):
    """A gradient of a gradient has colours and words of its own."""
    def node(id, op, inputs=(), **more):
        return {'extent': 0, 'id': id, 'inputs': list(inputs), 'op': op, 'shape': [], **more}
    value = {'value': True}
    one = {'attrs': {'value': 1.0}}
    graph = {'version': 1, 'lengths': [], 'extents': [[]], 'nodes': [
        node(0, 'weight', name='w', **value), node(1, 'exp', [0], name='loss', **value),
        node(2, 'constant', order=1, **one), node(3, 'mul', [2, 1], order=1, name='grad:w', **value),
        node(4, 'mul', [3, 3], name='penalty', **value), node(5, 'constant', order=2, **one),
        node(6, 'mul', [5, 3], order=2), node(7, 'add', [6, 6], order=2),
        node(8, 'mul', [7, 1], order=2, known_as='grad:w')]}
    for n in graph['nodes']:
        if not n['inputs']:
            del n['inputs']
    with open(os.path.join(FOLDER, 'second.json'), 'w') as f:
        json.dump(graph, f)
    b.open(show('second', 'second.json'))
    fill = 'return getComputedStyle([...document.querySelectorAll("g.n")].find((n) => n.textContent.startsWith(' \
           'arguments[0])).querySelector("rect")).fill'
    fills = [b.js(fill, name) for name in ('loss', '\u2207w', '\u2207\u2207w')]
    check('three passes in three colours', len(set(fills)) == 3, fills)
    b.click_node('\u2207\u2207w')
    check('a gradient of the gradient, in words', 'of a gradient of the gradient' in b.panel(), b.panel()[:100])
    b.click_node('\u2207w')
    check('the first gradient, in words', 'of the gradient' in b.panel() and 'of a gradient' not in b.panel(),
          b.panel()[:100])
    for scheme in ('light', 'dark'):
        b.media({'prefers-color-scheme': scheme})
        b.shot('second-' + scheme)
    b.media({})


def try_models(b):
    """In what two trained models differ: docs/explore.md, by clicks."""
    for name, seed in (('one', '1'), ('two', '2')):
        shutil.rmtree(os.path.join(FOLDER, name), ignore_errors=True)
        subprocess.run([PROGRAM, 'train', 'char_lm', '--size', 'm=8', '--data', 'planted.json', '--epochs', '2',
                        '--seed', seed, '-o', name, '-q'], check=True, cwd=FOLDER)
    path = os.path.join(FOLDER, 'models.html')
    told = subprocess.run([PROGRAM, 'diff', 'one', 'two', '--steps', '4', '-q', '-o', path], cwd=FOLDER,
                          capture_output=True, text=True)
    check('two models differ', told.returncode == 1 and '~ tensor W' in told.stdout, told.stdout[:200])
    b.open(path)
    names = b.js('return [...document.querySelectorAll("g.n")].map((n) => n.textContent)')
    sides = [n for n in names if n.startswith('W')]
    check('W of both models stands side by side', len(sides) == 2, sides)
    tensors = []
    for number in range(2):
        b.js('const n = [...document.querySelectorAll("g.n")].filter((n) => n.textContent.startsWith("W"))[arguments[0]];'
             'const r = n.getBoundingClientRect();'
             'for (const type of ["pointerdown", "pointerup"]) n.dispatchEvent(new PointerEvent(type, {bubbles: true,'
             ' button: 0, pointerId: 1, clientX: r.x + r.width / 2, clientY: r.y + r.height / 2}));', number)
        check('a click on W tells its tensor', 'Value' in b.panel() and 'heat map' in str(b.js(
            'return [...document.querySelectorAll("#panel [role=img]")].map((e) => e.getAttribute("aria-label"))')),
            b.panel()[:300])
        tensors.append(b.panel())
    check('of two models two tensors', len(set(tensors)) == 2)
    check('how far apart they are', all('; apart from the other side by ' in t for t in tensors), tensors)
    # step 4 is the last of each: nothing comes back to it from the other side
    check('each side flows for itself', 'A: t = 3' in b.find('#flow').text and 'A: t = 4' not in b.find('#flow').text,
          b.find('#flow').text)
    b.shot('models')


def weights_of_elman():
    path = os.path.join(FOLDER, 'weights.json')
    matrix = [[0.1 * (i - j) for j in range(3)] for i in range(3)]
    with open(path, 'w') as f:
        json.dump({'U': [row[:2] for row in matrix], 'W': matrix, 'b': [0.1, 0, -0.1], 'V': matrix, 'c': [0, 0, 0]}, f)
    return path


NASTY = "</script><img src=x onerror=document.title='spoilt'>"


def try_nasty(b):
    """A definition whose title, equations and names would leave their place, were they not escaped."""
    definition = {'name': NASTY, 'about': '<!-- ]]> "\'&<b>' + NASTY, 'index': {'t': 'tau'}, 'sizes': {'m': 2},
                  'inputs': {'x[t]': ['m']}, 'weights': {'W': ['m', 'm']},
                  'equations': ['h[t] = tanh(W @ h[t-1] + x[t])']}
    source = os.path.join(FOLDER, 'nasty.json')
    with open(source, 'w') as f:
        json.dump(definition, f)
    page = show('nasty', source, '--steps', '2')
    b.open(page)
    check('title as text', b.find('#title').text == NASTY, b.find('#title').text)
    check('nothing became a tag', not b.driver.find_elements(By.CSS_SELECTOR, 'img'))
    check('no script of it ran', b.js('return document.title') == NASTY, b.js('return document.title'))
    b.quiet('nasty')


def try_large(b):
    """1,000 steps of an LSTM; 20,000 nodes open within 2 s, and panning keeps 30 frames a second."""
    page = show('lstm', 'lstm', '--steps', '1000')
    seconds = b.open(page, '#view=unfolded')
    print(f'1000 steps of an LSTM: {seconds:.2f} s')
    check('1,000 steps open in 1 s', seconds < limit(1), seconds)
    slider = b.find('#step')
    b.js('arguments[0].value = 700; arguments[0].dispatchEvent(new Event("input"))', slider)
    check('a step that was left out', b.find('#step-label').text == 't = 700', b.find('#step-label').text)
    check('in all steps, on a canvas', b.find('#views [aria-pressed=true]').text == 'Unfolded, all steps'
          and b.driver.find_elements(By.CSS_SELECTOR, '#stage canvas'))
    b.keys('/', 'c[700', Keys.ENTER)
    check('search on a canvas', b.panel().startswith('c[700]'), b.panel()[:60])
    b.keys(Keys.ARROW_RIGHT)
    check('keys on a canvas', b.panel().startswith('c[701]'), b.panel()[:60])
    b.shot('canvas')
    b.keys('e')
    check('its operations, of a step computed alike', 'c[701]' in b.find('#stage').text
          and 'c[700]' in b.find('#stage').text, b.find('#stage').text[:200])
    b.quiet('lstm')
    page = show('large', 'lstm', '--steps', '2500', '--all-steps')
    seconds = b.open(page, '#view=unfolded')
    nodes = b.js('return JSON.parse(document.getElementById("page").textContent).scenes.find('
                 '(s) => s.name === "unfolded").nodes')
    print(f'{nodes} nodes: {seconds:.2f} s')
    check('20,000 nodes', nodes >= 20000, nodes)
    check('20,000 nodes open in 2 s', seconds < limit(2), seconds)
    for zoom in ('near', 'far'):
        if zoom == 'far':
            b.keys(*('-' * 8))
            time.sleep(0.2)
        rate = b.js('''
          const stage = document.querySelector('#stage'), send = (type, x) => stage.dispatchEvent(new PointerEvent(type,
            {bubbles: true, button: 0, pointerId: 7, clientX: x, clientY: 400}));
          const capture = stage.setPointerCapture; stage.setPointerCapture = () => {};
          send('pointerdown', 900);
          return new Promise((done) => { let x = 900, frames = 0; const start = performance.now();
            const frame = () => { send('pointermove', x -= 12);
              if (++frames < 45) requestAnimationFrame(frame);
              else { send('pointerup', x); stage.setPointerCapture = capture;
                done(1000 * frames / (performance.now() - start)); } };
            requestAnimationFrame(frame); });''')
        print(f'panning {zoom}: {rate:.0f} frames a second')
        check(f'panning {zoom}: 30 frames a second', rate > 30 / SLOW, rate)
    b.shot('far')
    b.quiet('large')


# machines that run other things meanwhile: TAUGRAD_SLOW=4 says how much slower they may be
SLOW = float(os.environ.get('TAUGRAD_SLOW', '1'))


def limit(seconds):
    return seconds * SLOW


def attempt(b, part, *arguments):
    try:
        part(b, *arguments)
    except WebDriverException as e:  # what is asked for is not there
        check(part.__name__, False, e.msg)
    b.quiet(part.__name__)


def main():
    missing = [p for p in (CHROMIUM, DRIVER) if not os.path.exists(p)]
    if missing:
        print(f'SKIPPED: there is no {missing[0]}; `tools/setup chromium chromium-driver python3-selenium` installs it')
        return 0
    os.makedirs(FOLDER, exist_ok=True)
    start = time.time()
    elman = show('elman', 'elman', '--steps', '3', '--view', 'unfolded')
    b = Browser()
    try:
        for part in (try_views, try_details, try_paths, try_moving, try_steps, try_search, try_links,
                     try_help_and_print, try_sizes):
            attempt(b, part, elman)
        attempt(b, try_nasty)
        attempt(b, try_values)
        attempt(b, try_not_finite)
        attempt(b, try_walks)
        attempt(b, try_printed)
        attempt(b, try_graph_values)
        attempt(b, try_second_gradient)
        attempt(b, try_models)
        attempt(b, try_large)
    finally:
        b.driver.quit()
    print(f'{checks} checks, {len(failures)} failed, {time.time() - start:.0f} s')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
