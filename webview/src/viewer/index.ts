import './style.css';
import './heatmap.css';
import { Viewer } from './viewer';

new Viewer().start();
